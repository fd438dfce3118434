"""Whether an item, or a matter about it, may be done for another: what `auth.acting` asks of items (DG-1, DG-3).

an act on an item                     service.require, service.require_version
a matter out of scope is not there    service.require_seen
the items that a list may show        queries.visible_items
"""
