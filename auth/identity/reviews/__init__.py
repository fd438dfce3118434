"""`review` is its own state: the source is asked again when it is due, the old level stays meanwhile (ID-5)."""
