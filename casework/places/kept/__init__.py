"""Halls kept in the process until the places change: `queries.hall`."""
