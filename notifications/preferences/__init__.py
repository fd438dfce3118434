"""Which WeChat messages a person has allowed (2.6: "subscribe messages need a tap each time"; keep the count).

what the person answered to WeChat's prompt    service.answer
whether to try                                 service.may_send
one message sent, or none allowed any more     service.spend, service.withdraw
"""
