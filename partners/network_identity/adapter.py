"""A check is begun here, made by the person in the service's own app, and its outcome fetched here. Signed both ways."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from auth.identity.network.rules import Grade
from auth.identity.ports import Challenge, NetworkAnswer, NetworkResult
from core.identifiers import DocumentNumber
from core.ports import PartnerUnavailable
from core.settings import NetworkIdentitySettings
from partners import signed

PARTNER = "network-identity"

_GRADES = {"BASIC": Grade.BASIC, "HIGH": Grade.HIGH, "PIN": Grade.PIN}
_RESULTS = {
    "PASS": NetworkResult.PASS,
    "MISMATCH": NetworkResult.MISMATCH,
    "REVIEW": NetworkResult.REVIEW,
    "PIN_WRONG": NetworkResult.PIN_WRONG,
    "CERTIFICATE_EXPIRED": NetworkResult.CERTIFICATE_EXPIRED,
    "REFUSED": NetworkResult.REFUSED_BY_PERSON,
    "OPEN": NetworkResult.OPEN,
}
_REFUSALS = frozenset({"unknown", "token"})


class SignedNetworkIdentity:
    """The port auth.identity.ports.NetworkIdentity over the service's HTTP interface."""

    def __init__(self, settings: NetworkIdentitySettings) -> None:
        self._settings = settings

    def begin(
        self, *, name: str, document: DocumentNumber, grade: Grade, purpose: str, return_url: str, request_id: UUID
    ) -> Challenge:
        """Begin a check; the same `request_id` is the same check. Raises `PartnerUnavailable`."""
        found = self._ask(
            "/v1/challenges",
            request_id=str(request_id),
            name=name,
            document_type=document.type.value,
            document_number=document.number,
            grade=grade.value,
            purpose=purpose,
            return_url=return_url,
        )
        try:
            expires_at = datetime.fromisoformat(found["expires_at"])
            if found["request_id"] != str(request_id) or expires_at.tzinfo is None:
                raise ValueError("not our check")
            return Challenge(str(found["challenge"]), str(found["url"]), expires_at)
        except (KeyError, TypeError, ValueError):
            raise PartnerUnavailable(PARTNER) from None

    def finish(self, *, challenge: str, token: str) -> NetworkAnswer:
        """What the check came to. Raises `PartnerUnavailable`, `PartnerRefused` (`unknown`, `token`)."""
        found = self._ask("/v1/results", challenge=challenge, token=token)
        try:
            if found["challenge"] != challenge:
                raise ValueError("not our check")
            return NetworkAnswer(
                result=_RESULTS[found["result"]],
                grade=_GRADES[found["grade"]],
                purpose=str(found["purpose"]),
                valid_until=signed.day(found.get("valid_until")),
            )
        except (KeyError, TypeError, ValueError):
            raise PartnerUnavailable(PARTNER) from None

    def _ask(self, path: str, **fields: object) -> dict[str, Any]:
        ours = self._settings
        return signed.ask(
            PARTNER, ours.url + path, key_id=ours.key_id, secret=ours.secret, fields=fields, refusals=_REFUSALS
        )
