"""What a hall manager does to the own hall (3.16): hours, closures, windows and what they take.

Only a HALL_MANAGER, and only in the hall he or she works in. Every change is audited, shows within a second, and makes the
bookable days ahead afresh; whoever had booked what is gone is moved by the appointments (AP-15).

- AP-4, AP-15 what closing a day would do → `service.preview`
- hours and windows by optimistic lock → `service.set_week`, `service.set_window`
"""
