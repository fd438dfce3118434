"""Edits by hand survive an import: what it says is compared with what it said last time."""
