"""Rows of evidence: adding one, renewing and revoking that of a factor, using up a fresh proof (ID-1, 3.7 level 4)."""
