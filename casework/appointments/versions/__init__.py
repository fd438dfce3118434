"""A booking whose item has another version in force on the day of the visit: what changes, and taking it over."""
