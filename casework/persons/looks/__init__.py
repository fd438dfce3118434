"""Who of the staff looked a citizen up, for the citizen (P-4, P-5): from the audit log, the only place that knows all.

Where they work is told, never who they are. An emergency look-up shows once the person was told of it (`emergencies`).
"""
