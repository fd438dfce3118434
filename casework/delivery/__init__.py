"""Courier delivery of results (3.6): asked for by the citizen, packed by two clerks, carried by a partner, signed for with a check.

Rules and where they are held: CR-1, CR-3 → `service.request`, `rules.check_address`; CR-2 (to oneself
only so far) → `service.request`; CR-6 → `service.confirm`, `service.seal`; CR-7 → `tracking.service.send_code`,
`tracking.service.verify_identity`; CR-8, CR-9, CR-13, CR-14 → `rules.read_track`; CR-10 → `service.record_incident`; CR-11 →
`tracking.service`; CR-12 → `record.service.handed_over`; CR-15, CR-16 → `gateway.callbacks.kuaidi100`, `jobs`; CR-17 →
`ports.CourierOrder`; P-6 → `service.forget_addresses`.
"""
