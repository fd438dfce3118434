"""A department's site as somebody else would write it: Flask and Authlib's client, in a process of its own.

python -m tests.gateway.oidc.relying_party PORT ISSUER CLIENT_ID CLIENT_SECRET
"""

from __future__ import annotations

import sys
from typing import Any

from authlib.integrations.flask_client import OAuth
from flask import Flask, jsonify, redirect, request, session, url_for
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.serving import run_simple

_BACKCHANNEL = "http://schemas.openid.net/event/backchannel-logout"


def site(issuer: str, client_id: str, client_secret: str) -> Flask:
    """The site; `signed_out` holds the sessions it was told are over."""
    app = Flask("department")
    app.secret_key = "of a test"
    signed_out: set[str] = set()
    city = OAuth(app).register(
        "city",
        client_id=client_id,
        client_secret=client_secret,
        server_metadata_url=issuer + "/.well-known/openid-configuration",
        client_kwargs={"scope": "openid profile level", "code_challenge_method": "S256"},
    )

    @app.get("/")
    def home() -> Any:
        person = session.get("person")
        if person is None or person["sid"] in signed_out:
            return jsonify(signed_in=False)
        return jsonify(signed_in=True, **person)

    @app.get("/sign-in")
    def sign_in() -> Any:
        return city.authorize_redirect(url_for("callback", _external=True), acr_values="level2")

    @app.get("/callback")
    def callback() -> Any:
        token = city.authorize_access_token()
        claims, told = token["userinfo"], city.userinfo()
        session["person"] = {"sid": claims["sid"], "sub": claims["sub"], "acr": claims["acr"], "told": dict(told)}
        session["id_token"] = token["id_token"]
        return redirect(url_for("home"))

    @app.get("/sign-out")
    def sign_out() -> Any:
        metadata = city.load_server_metadata()
        asked = {"id_token_hint": session.pop("id_token"), "post_logout_redirect_uri": url_for("home", _external=True)}
        return redirect(requests_url(metadata["end_session_endpoint"], asked))

    @app.post("/backchannel")
    def backchannel() -> Any:
        token = jwt.decode(
            request.form["logout_token"], KeySet.import_key_set(city.fetch_jwk_set()), algorithms=["RS256"]
        )
        claims = token.claims
        good = (
            token.header["typ"] == "logout+jwt"
            and claims["iss"] == city.load_server_metadata()["issuer"]
            and claims["aud"] == client_id
            and _BACKCHANNEL in claims["events"]
            and "nonce" not in claims
        )
        if not good:
            return jsonify(error="invalid_request"), 400
        signed_out.add(claims["sid"])
        return "", 200

    return app


def requests_url(address: str, params: dict[str, str]) -> str:
    """`address` with `params`."""
    from urllib.parse import urlencode

    return f"{address}?{urlencode(params)}"


if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), site(*sys.argv[2:5]), threaded=True)
