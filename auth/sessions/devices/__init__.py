"""Devices as people know them, and sign-ins that weren't theirs (ID-9, PEERS S9, S10).

a device in words, a place by its kind of address    rules.device_words, rules.place_words
a device not seen lately is announced                service.greet
"这不是我"                                            service.disown: everything ends, re-binding waits
"""
