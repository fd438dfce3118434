"""The ways to a level: which are open on which channel and for which document, and why the others aren't (ID-6, ID-10, P-2)."""
