"""How a delegation changes state, and what is written down and announced when it does (DG-1, DG-2)."""
