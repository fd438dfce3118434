"""Short messages by Aliyun and, when it is away, by Tencent (PROTOCOLS 5.1, 5.2).

signature.py  Aliyun's RPC v1 signature
aliyun.py     Aliyun's SendSms and reports
tc3.py        Tencent's signature
tencent.py    Tencent's SendSms and reports
failover.py   the ports auth.factors.ports.CodeSender and notifications.channels.ports.ShortMessages over both
"""

# Our code of the template for one-time codes, whatever the platform calls it.
ONE_TIME_CODE = "VERIFICATION_CODE"
