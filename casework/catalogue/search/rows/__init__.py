"""Rows of the search, kept in the process: what is read under a stamp never changes, so nothing kept is ever out of date.

A search asks the database only which rows it must look at, and reads the texts of those that it never saw.
"""
