"""The hall queue (取号叫号): tickets, who is called next, and how a visit ends.

Clerks check people in, hand out walk-in tickets, call, recall, pass, serve and finish; anybody may see how long the queue is.
A ticket of a booking moves its appointment along (`casework.appointments.visit`).

- AP-16, AP-17 arrival becomes a ticket → `service.check_in`, `rules.lane_of`
- AP-18 who is next → `rules.next_ticket`
- AP-19 called three times, passed, back once → `rules.check_recall`, `rules.check_pass`, `rules.check_return`
- AP-20 walk-ins need no account → `service.issue_walk_in`
- AP-21 results, wasted trips (S23) → `rules.is_wasted`

Locks: the row of the zone's queue (`hall_queue`) before appointment and ticket, so that two windows never call one number.
"""
