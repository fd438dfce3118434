"""Honest duration: how long an item really took lately, in working days, beside the promise and the law (C5).

Everybody may read it, with the item's guide. What the clock doesn't count (K-5, K-7) isn't counted here either.

- the half and nine in ten → `rules.percentile`, `rules.measure`
- too few cases say nothing → `rules.DurationPolicy.min_cases`
- reckoned every night → `jobs.measure`
"""
