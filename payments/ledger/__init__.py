"""The ledger: double entry, append-only. Every movement of money is one posting whose entries sum to zero.

Accounts, by what the city holds or owes:

- `PLATFORM:<channel>`: money that a payment platform holds for the city (grows by payments, positive)
- `PAYEE:<payee>`: what is owed to a payee of bills (grows by payments, negative)
- `SURPLUS`: money that pays no bill and goes back: a second payment, one that came too late (PY-6, PY-7)

The database keeps it: a deferred trigger refuses a posting that doesn't sum to zero, rows are never changed or deleted
(migration 0007). One posting per order and per refund.
"""
