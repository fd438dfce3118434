"""Courier delivery of results (3.6): asked for by the citizen, packed by two clerks, carried by a partner, signed for with a check.

Rules and where they are held: CR-1, CR-3 → `rules.check_request`; CR-2 (to oneself only so far) → `miniprogram_api.delivery`;
CR-6 → `service.confirm`, `service.seal`; CR-7 → `service.send_code`, `service.check_identity`; CR-8, CR-9, CR-13, CR-14 →
`rules.read_track`; CR-11 → `service._deliver`; CR-12 → `service.on_handed_over`; CR-15, CR-16 →
`gateway.callbacks.kuaidi100`, `jobs`; CR-17 → `ports.CourierOrder`.
"""
