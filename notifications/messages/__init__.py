"""What was said to whom: one message per event and receiver (3.17), kept for the inbox.

one per event and receiver    models.Message (unique), service.announce
what the person sees          queries.inbox, queries.unread_count, service.mark_read
two subjects become one       service.move_owner
"""
