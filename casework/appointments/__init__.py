"""Appointments (预约): a right-holder's booked time in a hall, from the hold to the end of the visit.

Citizens and agents hold, book, change and cancel theirs; the hotline books for those who call; halls cancel when they must.
Arrival and the ticket are `casework.queue`'s, the bookable time itself is `casework.slots`'.

- AP-7 level → `rules.booking_level`
- AP-8 limits, AP-22 and AP-23 no-shows → `rules.check_standing`, under the person's lock in `taking.service.prepare`
- AP-9 atomic → `taking.service.take`, on `slots.service.taking`; one live booking of an item → partial unique index
- AP-10 holds → `service.hold`, `holds.service`; their expiry counts in every read and is tidied by `jobs.free_holds`
- AP-11, AP-12 what a booking holds, who must be there → `models`
- AP-13 change → `service.change`; AP-14 cancel → `rules.cancelled_as`; AP-15 → `visit.service.cancel_by_hall`
- AP-16, AP-17 arrival → `rules.arrival`, `visit.service.arrive`
- reminders → `jobs.remind`

Locks, always in this order: persons and phones (advisory) → a hall's queue → appointment → slots in key order.
"""
