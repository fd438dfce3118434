"""Alipay: payments, refunds, sign-in and real name over the OpenAPI 2.0 gateway, and its asynchronous notices.

- `payments.AlipayPayments` implements `payments.orders.ports.PaymentPlatform` and `payments.refunds.ports.RefundPlatform`
- `accounts.AlipayOAuth` implements `auth.accounts.alipay.ports.AlipayAccounts`: signing in
- `real_name.AlipayCertVerify` implements `auth.identity.alipay.ports.AlipayRealName`: is it this person's own Alipay?
- `client.AlipayClient` is the official SDK's client, corrected at the points where it is wrong
- `notices.read` verifies a notice by its raw body
- `signatures` signs and verifies, RSA2 only

The SDK has 36,000 modules; only the few that are needed are imported, and only by the process that calls Alipay.
"""
