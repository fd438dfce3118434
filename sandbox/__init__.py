"""The partners, simulated over real HTTP: WeChat, Alipay, the identity authority, Aliyun SMS and 快递100.

Knows nothing of the product and is imported by nothing of it; the two meet on the wire only. `README.md` lists the
endpoints and the magic values.
"""
