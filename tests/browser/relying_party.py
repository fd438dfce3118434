"""A department's site, small and real: Authlib's client in Flask, registered with the provider like any other."""

from __future__ import annotations

import json
import secrets
from typing import Any

from authlib.integrations.flask_client import OAuth
from flask import Flask, Response, jsonify, redirect, request, session

from tests.factories import oidc

LEVEL_3 = json.dumps({"id_token": {"acr": {"essential": True, "values": ["level3"]}}})


class RelyingParty:
    """The site: `/` asks to sign in, `/callback` takes the answer, `/me` shows what it was told."""

    def __init__(self, provider: str, address: str) -> None:
        self.address = address
        self.told: dict[str, Any] = {}
        self.client = oidc.register(
            name_zh="宁波不动产登记网",
            name_en="Ningbo Property Registry",
            department="D11",
            redirect_uris=(f"{address}/callback",),
            post_logout_redirect_uris=(f"{address}/bye",),
            initiate_login_uri=f"{address}/login",
        )
        self.app = Flask("relying_party")
        self.app.secret_key = secrets.token_hex(16)
        self.app.config["SESSION_COOKIE_NAME"] = "site"
        oauth = OAuth(self.app)
        oauth.register(
            "city",
            client_id=self.client.client_id,
            client_secret=self.client.secret,
            server_metadata_url=f"{provider}/.well-known/openid-configuration",
            client_kwargs={"scope": "openid profile phone identity level", "code_challenge_method": "S256"},
        )

        @self.app.get("/login")
        def login() -> Any:
            asked = {name: request.args[name] for name in ("prompt", "ui_locales") if name in request.args}
            if request.args.get("level") != "any":
                asked["claims"] = LEVEL_3
            return oauth.city.authorize_redirect(f"{address}/callback", **asked)

        @self.app.get("/callback")
        def callback() -> Response:
            if "error" in request.args:
                self.told = dict(request.args)
                return Response(f"refused: {request.args['error']}", content_type="text/plain")
            made = oauth.city.authorize_access_token()
            self.told = {"id": dict(made["userinfo"]), "user": dict(oauth.city.userinfo(token=made))}
            session["id_token"] = made["id_token"]
            answer: Response = redirect("/me")  # type: ignore[assignment]
            return answer

        @self.app.get("/me")
        def me() -> Response:
            return jsonify(self.told)

        @self.app.get("/bye")
        def bye() -> Response:
            return Response("bye", content_type="text/plain")
