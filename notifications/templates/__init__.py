"""The one table of templates (3.17): code, texts with fields, channels, importance. The data is `catalogue.json`.

what a text becomes, which fields there are   rules.render, rules.display_fields
reading and checking the table                queries.template, queries.all_templates
what to register at Aliyun, at Tencent        queries.sms_registrations, queries.sms_registrations_numbered
"""
