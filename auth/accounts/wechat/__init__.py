"""Giving up a WeChat account (ID-3)."""
