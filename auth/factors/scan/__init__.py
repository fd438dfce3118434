"""Signing a computer's browser in with the phone in hand: the page shows a QR code, the signed-in app confirms.

a code: two minutes, once                        rules.POLICY, service.offer, service.collect        ID-7, ID-8
it works in the browser that shows it, only      service.collect                                     ID-8
the first phone that scans it is the only one    service.look_up, service.answer                     ID-8
which site, which device, from where             service.Asking                                       ID-7
a restricted session hands over a restricted one service.sign_in                                     ID-4

What is asked waits in Redis and nowhere else: without Redis there is no such sign-in (`SourceUnavailable`).
"""
