"""Refunds: money goes back the way it came.

Asked for by `casework.cases` (not accepted, refused, withdrawn), by finance staff (`staff_api.refunds`), and by the system
for surplus money. Each is one request at the platform, whose number never changes, so that a repeat can't pay twice.

- PY-6, PY-7 late and second payments → `service.give_back`, job `refunds.give_back`
- PY-10 treasury money needs the finance bureau's approval, by another person → `rules.needs_approval`, `service.approve`
- PY-11 refunds ≤ paid → `service.request` under the bill's lock, trigger of migration 0007
- 3.5 states → `rules.TRANSITIONS`
"""
