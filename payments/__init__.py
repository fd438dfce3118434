"""Money: bills, orders at payment platforms, refunds, the ledger. Amounts are whole fen (PY-2)."""
