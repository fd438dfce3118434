"""What one signs in with: a one-time code to the phone, or WeChat (DOMAIN 3.7, 3.17).

six digits, five minutes, once, five tries   rules.Policy, service.send_code, service.check_code   3.17
5 an hour, 10 a day, a minute apart          rules.CODES_AN_HOUR, CODES_A_DAY, service.send_code   3.17
20 an hour per address                       rules.CODES_PER_ADDRESS, held by the route            3.17
good for what it was asked for alone         rules.CodeUse, service.check_code                     PROTOCOLS 5.3
10 an hour per device                        rules.CODES_PER_DEVICE, service.send_code             PROTOCOLS 5.3
the same answer for every phone              service.send_code asks nothing about accounts         3.17
a phone that changed hands                   service.sign_in_by_phone, service.add_phone           ID-4
one openid, one phone ↔ one subject          service.add_phone                                     ID-3

A code lives in Redis alone, as a keyed hash, and for the sender as an encrypted copy under an id that says nothing. Without
Redis there are no codes (`SourceUnavailable`): a code that can't be counted isn't given out.
"""
