"""As much of PDF (ISO 32000) as uploads need: counting the pages, and a copy with a mark on every page."""
