"""Writing workbooks (.xlsx) bit by bit."""
