"""What one version of an item changes in another (S22): exact, typed, applicable, and in words.

Rows are told apart by their stable number or key, never by where they stand, so that a paper that moved hasn't changed.
"""
