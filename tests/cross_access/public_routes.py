"""Addresses that hold nobody's object, and secrets that are the permission themselves; each with the reason."""

CATALOGUE = "the catalogue is public: everybody gets the same"
OWN = "a code of a public list; the call is about the caller's own"
SIGN_OUT = "a question to whoever opens it, which names the site; the answer takes the browser's own key"
SYSTEM = "a code of a public list or of the system's settings; no citizen's and no hall's"

# Nothing of anybody's behind the address. Who isn't signed in, or holds no such role, is still refused.
OPEN = {
    "guides.item": CATALOGUE,
    "guides.guide": CATALOGUE,
    "guides.materials": CATALOGUE,
    "consents.text": "texts of consent are public",
    "places.hall": "halls are public",
    "points.point": "service points are public",
    "account.withdraw_consent": OWN,
    "my_items.keep": OWN,
    "my_items.drop": OWN,
    "my_items.note_seen": OWN,
    "tiles.launch": OWN,
    "staff_tiles.set_target": SYSTEM,
    "staff_tiles.allow_bridge": SYSTEM,
    "staff_tiles.remove_host": SYSTEM,
}

# The address is the permission: whoever has it may. A wrong one looks like none.
SECRETS = {
    "prepayment.get_pay_code": "the pay code is passed on by its owner (PY-8)",
    "prepayment.start_order_by_pay_code": "the pay code is passed on by its owner (PY-8)",
    "oidc_pages.scanned": "the code is on the screen that is scanned, and opens nothing by itself",
    "oidc_pages.ask_sign_out": SIGN_OUT,
    "oidc_pages.answer_sign_out": SIGN_OUT,
    "callbacks_sms.report": "a partner's address, signed or secret",
    "callbacks_tencent_sms.report": "a partner's address, signed or secret",
}

# The request belongs to a browser: tests/cross_access/test_pages.py.
PAGES = "oidc_pages."
