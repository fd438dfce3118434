"""Bookable time: the slots of a hall's zones, how much of them is taken, and the numbers each hall books by.

A slot's capacity is kept in minutes of window time, because items take different times (AP-3). Places of one item are
`floor(minutes ÷ the item's minutes)`, which is the figure of AP-2.

- AP-1, AP-2 plan and capacity → `rules.capacity`, `service.set_plan`
- AP-4 only on open days → `service.ensure_slots`
- AP-5 release window → `rules.is_released`, `rules.last_released_day`
- AP-6 reserved places → `rules.room`, `service.taking`
- AP-9 taking is atomic → `service.taking` (one conditional UPDATE; CHECK in the table)
- the numbers marked [D] in DOMAIN 3.2 → `rules.HallPolicy`, overridden by hall in `booking_policy`

Locks: a slot's row is the last thing a transaction locks (person → appointment → slots in key order).
"""
