"""The days of a calendar in a file: CSV or JSON."""
