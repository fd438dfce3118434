"""Seeing quickly that a record has its proper shape."""
