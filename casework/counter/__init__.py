"""The counter: what happens in one action when the citizen stands before the clerk.

Rules: PR-11 → `service.accept_prereview`; PR-12 → `service.not_accept`; PY-1 →
`service.bill_prereview`, `service.bill_case`; AP-20 and persons without a smartphone → `service.accept_walk_in`.
It joins pre-review, identity, case and fees, so that none of those needs to know the others.
"""
