"""Differences in words, Chinese and English: for the citizen whose draft is concerned and for the manager who reviews."""
