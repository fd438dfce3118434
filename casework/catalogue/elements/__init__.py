"""The national elements of an item (实施清单, DOMAIN 2.2) beside those that other features decide by.

Codes are opaque: kept as the provincial library writes them, never parsed. What may repeat is rows of its own.
"""
