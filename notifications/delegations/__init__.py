"""Telling both sides of a delegation or role what happened to it, the principal first (DG-2)."""
