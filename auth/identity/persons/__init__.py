"""Whose the evidence is: the person who proves a document is that document's subject, whatever was signed in with (ID-3, ID-4)."""
