"""Reference lists: zones, departments, regions, development zones, topics, packages, tiles, licence types (S2, S8, S30, S38).

Filled by the import, read by everybody.
"""
