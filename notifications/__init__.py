"""Messages to citizens (DOMAIN 3.17): the inbox, WeChat subscribe messages and short messages.

    templates/    every text, as data
    messages/     what was said to whom: the inbox, one message per event and receiver
    channels/     how it gets out: deliveries, quiet hours, what the partners answered
    preferences/  which WeChat messages a person has allowed

Features call `notifications.messages.service.announce` and nothing else.
"""
