"""Another phone or WeChat account for a person (ID-3), and phones that changed hands (ID-4).

a new phone, a new WeChat account: level 4     service.change_phone, change_wechat
who lost the phone: at the counter             service.change_phone_at_counter
"this number is mine now"                      service.declare_new_owner
"""
