"""Departments' servers that sign people in here."""
