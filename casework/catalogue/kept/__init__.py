"""Items kept in the process until the catalogue changes, for what every booking asks.

what is kept by the revision of the catalogue    queries.ByRevision
the item in force                                queries.item_in_force
"""
