"""A browser's way to a partner's page and back (ID-8): what it started with waits here until it returns.

the state: random, once, ten minutes            service.begin, service.take          ID-8
bound to whoever started it                     RedirectTrip.holder_hash             ID-8
where it may go back to                         rules.allowed_return                 ID-8

The partner sends every browser to one address of ours, which sends it on to where the trip began (`service.onward`). That
uses nothing up: only the holder's own call, `take`, does. What goes through the address bar is worth nothing to anybody
else: the state without the holder's secret, and the partner's code without our key.
"""
