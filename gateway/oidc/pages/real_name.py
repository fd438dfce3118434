"""Alipay's real name, as one of the ways to level 3: away to its page and back (ID-8)."""
