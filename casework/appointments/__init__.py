"""Appointments (预约): a right-holder's booked time in a hall, from the hold to the end of the visit.

Citizens and agents hold, book, change and cancel theirs; the hotline books for those who call; halls cancel when they must.
Arrival and the ticket are `casework.queue`'s, the bookable time itself is `casework.slots`'.

- what is free, and why not (AP-4 … AP-6) → `offers`
- AP-3, AP-7, AP-11 item, level, situation, who comes → `drafts.service.make`, `rules.booking_level`
- AP-8 limits, AP-22 and AP-23 no-shows → `rules.check_standing`, under the person's lock in `taking.service.prepare`
- AP-9 atomic → `taking.service.take`, on `slots.service.taking`; one live booking of an item → partial unique index
- AP-10 holds → `service.hold`, `holds.service`; their expiry counts in every read and is tidied by `jobs.free_holds`
- AP-12 all parties named, limited and there → `parties.service`
- AP-13 change → `service.change`; AP-14 cancel → `rules.cancelled_as`; AP-15 → `visit.service.cancel_by_hall`
- AP-16, AP-17 arrival → `rules.arrival`, `visit.service.arrive`
- reminders → `jobs.remind`
- ID-12 somebody in a booking dies or is frozen, or the report was wrong → `freezes`

Locks, always in this order: persons and phones (advisory) → a hall's queue → appointment → slots in key order.
"""
