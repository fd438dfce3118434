"""The market registry: who represents an organisation (our contract, see sandbox/README.md)."""
