"""Letting a frozen account go on: a security administrator proposes it, a supervisor agrees (ID-12)."""
