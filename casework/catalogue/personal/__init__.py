"""A citizen's own way through the catalogue: favourites, and what was looked at lately. Only the citizen sees them.

How many people looked at an item lately, as a number, makes the list of what is used most (`service.count_uses`).
"""
