"""Orders: attempts to pay a bill at a payment platform (Alipay).

Used by `miniprogram_api.prepayment` and `gateway.callbacks.alipay`. An order's result is believed only from a signed
notice or from our own query (PY-8), and both end in one function, `service.apply`.

- PY-6 late money is refunded → `service.apply`, `rules.surplus_of`
- PY-7 key = bill + attempt; second click, same order; one success → `service.start`, unique index of `pay_order`
- PY-8 what a notice must be → `ports.PaymentPlatform.read_notice`, `service.apply_notice`
- PY-9 queried after 1, 5, 15, 60 minutes → `rules.POLICY`, job `orders.query`
- PY-14 no card or wallet number is kept → `models`; Alipay's masked buyer account is dropped by the adapter
- 3.5 states → `rules.TRANSITIONS`

Nothing is handed out twice: before a second attempt the first is closed at the platform (job `orders.prepare`). Meanwhile
the new order is CREATED; once PAYING it can be handed to the payer's phone (`service.hand_over`).
"""
