"""Progress look-up without signing in (3.4): little is shown, and nothing tells whether a number exists.

Rules: QY-1 (one answer, one time) → `service.look_up`; QY-2 (limits, lock) → `rules.POLICY`, `service`; what is shown →
`service.Progress`; QY-4 (labels) → `casework.cases.rules.LABELS`.
"""
