"""Self-service kiosks in the halls (S46): machines with an ID card reader, which people sign in at and leave.

registered by staff with a key, every request signed    models.Kiosk, rules.message, service.prove
a signature works once, within a minute                  service.prove (Redis; without it nobody signs in)
the card in the reader signs in, to level 2 at most      service.sign_in, auth.identity.rules.level
two idle minutes, twenty in all                          auth.sessions.rules.LIFETIMES
nothing is remembered                                    auth.consent.models.Consent.session_id, auth.tickets.rules.NEVER_FROM
"""
