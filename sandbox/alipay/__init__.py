"""Alipay's open platform: gateway, cashier, notices, and the control endpoints that act as a payer."""
