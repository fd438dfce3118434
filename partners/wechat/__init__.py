"""WeChat's mini-program platform: signing in, phone numbers, subscribe messages, over one client and one access token.

client.py        wechatpy's client, replaced at the points where it is wrong (PROTOCOLS 1.12)
access_token.py  one access token for all processes
accounts.py      the port auth.accounts.ports.WeChatAccounts
sealed.py        phone numbers in the older form, sealed with the session key
push.py          the port notifications.preferences.ports.WeChatPushes
subscribe.py     the port notifications.channels.ports.SubscribeMessages
values.py        what WeChat accepts as a value of a template's key
"""
