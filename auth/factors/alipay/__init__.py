"""Signing in with Alipay, in the App and in a browser (PROTOCOLS 3.2); WeChat can't open Alipay, and is told so.

An Alipay account alone is level 0, like a WeChat account: a phone is still needed for level 1 (DOMAIN 3.7).

    url, state = service.start(session, origin=..., return_to=..., holder=...)     the browser goes to `url`
    service.finish(session, state=..., holder=...)                                 it is back: once, by the same holder
    answer = service.ask(code)                                                     outside any transaction
    service.sign_in(session, answer=answer, origin=...).insist()
"""
