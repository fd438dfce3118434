"""The guide in one piece, to be kept by phones: numbered, signed, and what changed since an older one.

what an entry says, what changed between two   rules
when a new one is made                         service.build, jobs (once a minute, if anything changed)
the key                                        service.replace_key; the public half is queries.key_set
the format                                     docs/reference/offline-bundle.md
"""
