"""Halls, their zones and windows, and when they are open (办事地点).

Everybody may read it. A hall manager closes or opens a hall on one day (`service.add_exception`).

- S1, S2, S12 halls, zones, windows → `models`, `queries.hall_detail`
- AP-4 open on working days, and as an exception says → `rules.opening`
- which windows take an item → `queries.halls_for_item`, `queries.window_count`
"""
