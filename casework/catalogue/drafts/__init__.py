"""What item managers write: drafts of versions, section by section, one open draft an item (3.16).

A draft is seen and changed only by item managers of the item's department. Every section is replaced whole and guarded by
the draft's edit number, so that nobody writes over what somebody else just wrote.

- shapes of the sections → `ports`
- open, edit, take over a changed base, give up → `service`
- submit, send back, publish, withdraw → `publishing.service`
"""
