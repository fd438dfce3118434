"""Writing what an import makes of the catalogue: versions that are law from today, or drafts. One import at a time."""
