"""Telling people whose open matters a new version of an item concerns (S22, PR-2): drafts of pre-reviews, bookings to come.

A publication queues one job an item; the job goes through the matters in batches and tells each person once a version.
"""
