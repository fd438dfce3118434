"""Alipay: payments and refunds over the OpenAPI 2.0 gateway, and its asynchronous notices.

- `payments.AlipayPayments` implements `payments.orders.ports.PaymentPlatform` and `payments.refunds.ports.RefundPlatform`
- `client.AlipayClient` is the official SDK's client, corrected at the points where it is wrong
- `notices.read` verifies a notice by its raw body
- `signatures` signs and verifies, RSA2 only

The SDK has 36,000 modules; only the few that are needed are imported, and only by the process that calls Alipay.
"""
