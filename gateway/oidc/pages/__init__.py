"""The pages a person sees while a department's site signs it in (H5), in Chinese and English, readable for old people (DG-6).

    /oidc/sign-in/<interaction>         leads to the page of the present step, or back to the site
        /ways /phone /code              sign in by a code to the phone                          sign_in
        /scan                           or by scanning with the signed-in app                   scan
        /alipay                         or with Alipay                                          alipay
        /account                        go on as who is signed in, or as another                sign_in
        /document /review /proof        prove more: name and number, ways, what waits           step_up
        /real-name /network-id /halls   Alipay, the network ID; where to go instead             real_name, network_id, step_up
        /consent /refuse                let the site see exactly these fields, or say no        consent
    /oidc/sign-out/<sign_out>           sign out of all sites?                                  consent
    /oidc/scan/<code>                   what a plain browser shows of a scanned code            scan

No page needs a script, and none is sent: the policy of each forbids them. Every form carries a key that is good for this
browser and this request alone (`frame`), and every POST answers with a redirect, also when something was wrong: what
was typed and what to do about it then lie sealed in a cookie of this one request (`desk`). So back and reload do no
harm, and a button pressed twice does what one press does (`again`). What the person proves is proved through the same
services as over the API; here is no rule.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from core.settings import Settings
from gateway.oidc.pages import alipay, consent, frame, network_id, real_name, refusals, scan, sign_in, step_up

VIEWS = (sign_in, scan, alipay, step_up, real_name, network_id, consent, refusals)
"""The modules that add their pages to `frame.blueprint` when they are imported."""

_STYLE = Path(__file__).resolve().parent.parent.parent / "static" / "oidc" / "pages.css"


def register(app: Flask, settings: Settings) -> None:
    """Answer the pages."""
    app.extensions["oidc_pages"] = frame.Fixed(
        style=_STYLE.read_text(encoding="utf-8"),
        leave_to=frame.sources([settings.alipay.oauth_url, settings.network_identity.url]),
    )
    app.register_blueprint(frame.blueprint)
