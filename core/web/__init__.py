"""Helpers for everything that answers HTTP: access declaration, idempotency, paging, limits, problem answers."""
