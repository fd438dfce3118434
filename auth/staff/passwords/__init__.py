"""Changing one's password: the old one first, none of the last five again, every other session ends (2.7)."""
