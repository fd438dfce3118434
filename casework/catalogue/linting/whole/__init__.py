"""What the elements of a version must say together (DOMAIN 2.2)."""
