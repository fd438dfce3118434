"""Signals of the population source: death, loss of capacity, cancelled numbers, fraud (ID-12)."""
