"""Our protocols against implementations by others in another language (needs node)."""
