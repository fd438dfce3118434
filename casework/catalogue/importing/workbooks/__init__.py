"""Workbooks (.xlsx) as their cells, read bit by bit."""
