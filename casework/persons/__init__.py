"""Staff looking one citizen up (P-5): only with a case, an appointment or a called ticket of that person in hand.

without one nothing is shown, and it is written down as an anomaly    service.look_up
what is shown is masked (P-7)                                          service.Seen
without a matter, in an emergency                                      emergencies
the person sees who looked                                             looks
"""
