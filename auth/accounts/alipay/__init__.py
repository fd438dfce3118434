"""Alipay accounts that persons sign in with: one account ↔ one subject at a time (ID-3), in the way of `wechat_binding`.

Alipay is moving from `user_id` to `open_id`: an answer may tell one, the other or both (PROTOCOLS 3.2). An account is
found by either; the one that was missing is noted when it is first told, so that nobody becomes a stranger on the way.
"""
