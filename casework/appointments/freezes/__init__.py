"""What happens to bookings when somebody in them dies, loses capacity or is frozen (ID-12).

who died                        their bookings to come are cancelled like a hall's own: freed, no penalty     `service.end`
frozen otherwise                the bookings stay [D]: the hall sees the person and the card; they are told   `service.keep`
who was to come for others      the booking stays its owner's, who is told to come or to send another         `service.miss_agent`
another party of a booking      the booking stays its owner's, who is told                                    `service.miss_party`
the report was wrong            who was cancelled is told of the right to book first (AP-15)                  `service.restored`

Nobody is told why: a death is for the source and the family to tell. Each booking is a transaction of its own, in a job.
"""
