"""Consents that must be separate (P-1, P-2): which text, when, on which channel, by whom, and when withdrawn.

texts with purpose, basis, fields, retention   texts.json, queries.texts; a new version asks again
one standing consent of a kind                 models.Consent (unique index), service.give
under fourteen a guardian consents             rules.guardian_decides, service.give (PIPL 31)
withdrawing is as easy as giving               service.withdraw
a kiosk remembers nothing                      models.Consent.session_id, service.on_session_ended
refusing closes nothing by itself              nothing here is asked at sign-in; an act that needs one says so:
                                               core.web.consent.needed on the route, or service.insist
"""
