"""Short messages by Aliyun (PROTOCOLS 5.1).

signature.py  the RPC v1 signature
aliyun.py     the ports auth.factors.ports.CodeSender and notifications.channels.ports.ShortMessages
"""
