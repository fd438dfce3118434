"""Fees of a matter: which of the item's fee lines are billed, when they are fixed, when they go back.

Rules: PY-1, PY-2, PY-3, PY-5, RE-4, RE-6 and "tax is not a fee" → `rules.lines_by_payee`; PY-10, PY-12 → `service`.
"""
