"""The local stack, tried with real processes."""
