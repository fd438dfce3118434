"""A department's site, as a department would write it: it signs people in with the product over OpenID Connect.

client    the protocol: where to send a person, and what to believe of what comes back
pages     the site 宁波不动产登记网（演示）, at /department/
"""
