"""Who the people of the story are, and how they sign in: to the app, to the staff's side, to a department's site."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import requests

from tests.journey.client import Server, StoryBroken, Teller

BUYER = "zhang-wei"
BOOKING_TILE = "不动产登记预约"


@dataclass
class Stack:
    """Where the story happens."""

    web: str
    sandbox: str
    staff: dict[str, dict[str, str]]
    clock_shift: Path


@dataclass
class SigningIn:
    """What the people of the story know so far, and the steps of signing in."""

    stack: Stack
    teller: Teller
    patience: float = 5.0
    facts: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.web = Server(self.stack.web, self.patience)
        self.partner = Server(self.stack.sandbox + "/_sandbox", self.patience)
        people = self.partner.call("GET", "/personas.json")["personas"]
        self.buyer = next(person for person in people if person["key"] == BUYER)

    def sign_in(self) -> str:
        """WeChat's login code for tokens."""
        code = self.partner.call("POST", "/wechat/login-code", json={"persona": BUYER})["code"]
        session = self.web.call("POST", "/api/v1/login/wechat", json={"code": code})
        self._keep("me", session)
        return f"level {session['level']}"

    def bind_phone(self) -> str:
        """The phone number by its own code: level 1."""
        code = self.partner.call("POST", "/wechat/phone-code", json={"persona": BUYER})["code"]
        session = self.web.call("POST", "/api/v1/login/wechat/phone", token=self.tokens["me"], json={"code": code})
        return f"level {session['level']}"

    def prove_identity(self) -> str:
        """Name and number at the identity authority: level 2. Whoever did so before isn't asked again."""
        account = self.web.call("GET", "/api/v1/account", token=self.tokens["me"])
        if account["level"] >= 2:
            return f"level {account['level']}, proved before as {account['name']}"
        body = {
            "name": self.buyer["name"],
            "document_type": self.buyer["document_type"],
            "document_number": self.buyer["document_number"],
        }
        found = self.web.call("POST", "/api/v1/identity/name-and-number", token=self.tokens["me"], json=body)
        return f"level {found['level']}"

    def staff_sign_in(self, username: str) -> str:
        """Password and one-time code; a code counts once, so a second sign-in waits for the next."""
        person = self.stack.staff[username]
        totp = pyotp.TOTP(parse_qs(urlsplit(person["totp"]).query)["secret"][0])
        body = {"username": username, "password": person["password"], "totp": totp.now()}
        for _ in range(3):
            try:
                session = self.web.call("POST", "/staff/v1/login", json=body)
                break
            except StoryBroken:
                time.sleep(31 - time.time() % 30)
                body["totp"] = totp.now()
        else:
            raise StoryBroken(f"{username} can't sign in")
        self._keep(username, session)
        return f"{username} is in"

    def _keep(self, who: str, session: dict[str, Any]) -> None:
        self.tokens[who] = session["access_token"]
        self.web.secrets.update(str(value) for key, value in session.items() if key.endswith("token"))

    # Other departments -------------------------------------------------------------------------------------------

    def open_tile(self) -> str:
        """A tile, opened signed in: no second password; the site is told what the person agreed to and no more (S38)."""
        me, tiles = self.tokens["me"], self.web.call("GET", "/api/v1/tiles")["items"]
        tile = next(tile for tile in tiles if tile["name"] == BOOKING_TILE)
        launch, allowed = f"/api/v1/tiles/{tile['id']}/launch", (200, 403)
        opened = self.web.call("POST", launch, token=me, expect=allowed, json={})
        if opened.get("code") == "CONSENT_REQUIRED":
            agreed = {"agreed": [one["field"] for one in opened["fields"]]}
            opened = self.web.call("POST", launch, token=me, json=agreed)
        self.web.secrets.add(parse_qs(urlsplit(opened["address"]).query)["ticket"][0])
        page = requests.get(opened["address"], timeout=15)
        if not page.ok or self.buyer["name"] not in page.text:
            raise StoryBroken(f"the department doesn't know who came: {page.status_code}")
        return f"{BOOKING_TILE}: the department greets {self.buyer['name']}"

    def own_sessions(self) -> str:
        """Where the person is signed in."""
        found = self.web.call("GET", "/api/v1/account/sessions", token=self.tokens["me"])["items"]
        if not found:
            raise StoryBroken("nobody is signed in")
        return f"{len(found)} on record, this one among them"
