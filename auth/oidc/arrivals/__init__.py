"""An authorization request arrives: shown as wrong, sent back with an answer, or sent on to the pages.

an unknown client or address is never redirected to   errors.ClientUnknown, errors.AddressUnknown
prompt=none never shows a page                        service.arrive
signed in already and nothing to ask: straight back   service.arrive
"""
