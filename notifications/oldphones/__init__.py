"""Telling a phone that its owner gave up for another, whichever phone is the person's now (ID-3)."""
