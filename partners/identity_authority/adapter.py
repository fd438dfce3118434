"""The population source: does this name belong to this document, and what has happened to people since. Signed both ways."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any
from uuid import UUID

from auth.identity.ports import Check, CheckResult, Signal, Signals
from auth.identity.signals.rules import SignalKind
from core.identifiers import DocumentType, IdentifierError, normalise_document
from core.ports import PartnerUnavailable
from core.settings import IdentityAuthoritySettings
from partners import signed

PARTNER = "identity-authority"

PAGE = 200

log = logging.getLogger("partners.identity_authority")

_RESULTS = {
    "MATCH": CheckResult.MATCH,
    "MISMATCH": CheckResult.MISMATCH,
    "NOT_FOUND": CheckResult.NOT_FOUND,
    "REVIEW": CheckResult.REVIEW,
    "DECEASED": CheckResult.DECEASED,
    "CANCELLED": CheckResult.CANCELLED,
    "EXPIRED": CheckResult.EXPIRED,
}
_SIGNALS = {
    "DEATH": SignalKind.DEATH,
    "INCAPACITY": SignalKind.INCAPACITY,
    "CANCELLED": SignalKind.CANCELLED,
    "FRAUD": SignalKind.FRAUD,
}


class SignedIdentityAuthority:
    """The ports IdentityAuthority and IdentitySignals of auth.identity over the source's HTTP interface."""

    def __init__(self, settings: IdentityAuthoritySettings) -> None:
        self._settings = settings

    def check(self, *, name: str, document_type: str, document_number: str, purpose: str, request_id: UUID) -> Check:
        """Ask the source; asking again is harmless. Raises `PartnerUnavailable`, also for an answer it didn't sign."""
        found = self._ask(
            "/v1/verify",
            request_id=str(request_id),
            name=name,
            document_type=document_type,
            document_number=document_number,
            purpose=purpose,
        )
        if found.get("request_id") != str(request_id) or found.get("result") not in _RESULTS:
            raise PartnerUnavailable(PARTNER)
        return Check(result=_RESULTS[found["result"]], valid_until=signed.day(found.get("valid_until")))

    def since(self, cursor: str) -> Signals:
        """The signals after `cursor`. A signal that can't be read stops the page: none is ever passed over.

        Raises `PartnerUnavailable`.
        """
        found = self._ask("/v1/signals", since=cursor, limit=PAGE)
        try:
            signals = [_signal(entry) for entry in found["signals"]]
            page = Signals(signals, str(found["cursor"]), bool(found["more"]))
        except (KeyError, TypeError, ValueError, IdentifierError):
            # It stays in the way until a person has looked at it: a death that is passed over is worse than a late one.
            log.error("a signal of the identity authority can't be read", extra={"after": cursor})
            raise PartnerUnavailable(PARTNER) from None
        if page.signals and page.cursor == cursor:
            raise PartnerUnavailable(PARTNER)
        return page

    def _ask(self, path: str, **fields: object) -> dict[str, Any]:
        ours = self._settings
        return signed.ask(PARTNER, ours.url + path, key_id=ours.key_id, secret=ours.secret, fields=fields)


def _signal(entry: dict[str, Any]) -> Signal:
    """One entry of the list. Raises `KeyError`, `TypeError`, `ValueError`, `IdentifierError`."""
    at = datetime.fromisoformat(entry["at"])
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    document = normalise_document(DocumentType(entry["document_type"]), entry["document_number"])
    return Signal(str(entry["signal_id"]), _SIGNALS[entry["kind"]], document, at)
