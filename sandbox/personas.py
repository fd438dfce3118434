"""The people of the sandbox, read from `personas.json`: synthetic, with valid check digits, living nowhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Persona:
    """One fictional person and what happens when the product meets this person.

    `outcome` is the identity authority's answer, `payment` what Alipay does (success, insufficient, delayed, closed),
    `wechat` is `blocked` for a user of high risk.
    """

    key: str
    name: str
    document_type: str
    document_number: str
    phone: str
    openid: str
    unionid: str
    alipay_user_id: str
    outcome: str
    valid_until: str | None
    payment: str
    story: str
    guardian: str | None
    wechat: str


class UnknownPersona(LookupError):
    """No persona has this key."""


class People:
    """The personas by whatever a platform knows them by."""

    def __init__(self) -> None:
        raw = json.loads(Path(__file__).with_name("personas.json").read_text(encoding="utf-8"))
        self.all = tuple(Persona(**entry) for entry in raw)
        self._by_key = {person.key: person for person in self.all}
        self._by_openid = {person.openid: person for person in self.all}
        self._by_alipay = {person.alipay_user_id: person for person in self.all}
        self._by_document = {(person.document_type, person.document_number): person for person in self.all}

    def get(self, key: object) -> Persona:
        """The persona with this key. Raises `UnknownPersona`."""
        try:
            return self._by_key[str(key)]
        except KeyError:
            raise UnknownPersona(f"no persona {key!r}; known: {', '.join(self._by_key)}") from None

    def by_openid(self, openid: str) -> Persona | None:
        """Who has this WeChat openid."""
        return self._by_openid.get(openid)

    def by_alipay_user(self, user_id: str) -> Persona | None:
        """Who has this Alipay user id."""
        return self._by_alipay.get(user_id)

    def by_document(self, document_type: str, number: str) -> Persona | None:
        """Who holds this document."""
        return self._by_document.get((document_type, number))
