"""What identity needs from the population source, the network identity service and a face check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from auth.identity.network.rules import Grade
from auth.identity.signals.rules import SignalKind
from core.identifiers import DocumentNumber


class CheckResult(StrEnum):
    """What the source says about a name and a document number."""

    MATCH = "MATCH"
    MISMATCH = "MISMATCH"
    NOT_FOUND = "NOT_FOUND"
    REVIEW = "REVIEW"
    EXPIRED = "EXPIRED"
    DECEASED = "DECEASED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Check:
    """The source's answer. `valid_until`: the document's last day, where the source tells it."""

    result: CheckResult
    valid_until: date | None = None


class IdentityAuthority(Protocol):
    """Says whether a name and a document number belong together. Asking again is harmless."""

    def check(self, *, name: str, document_type: str, document_number: str, purpose: str, request_id: UUID) -> Check:
        """Ask about one person. Raises `PartnerUnavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class Signal:
    """What the source tells unasked about the holder of a document (ID-12). `number` is the source's own, once each."""

    number: str
    kind: SignalKind
    document: DocumentNumber
    at: datetime


@dataclass(frozen=True, slots=True)
class Signals:
    """A page of signals in the source's order, where the next one begins, and whether there is more already."""

    signals: Sequence[Signal]
    cursor: str
    more: bool


class IdentitySignals(Protocol):
    """The population source's list of signals. Reading it again is harmless."""

    def since(self, cursor: str) -> Signals:
        """The signals after `cursor` ("": from the beginning). Raises `PartnerUnavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class Challenge:
    """A check that waits for the person: the service's name for it, and the address that opens its app or page."""

    challenge: str
    url: str
    expires_at: datetime


class NetworkResult(StrEnum):
    """What a check at the network identity service came to. `OPEN`: the person isn't through with it."""

    PASS = "PASS"  # noqa: S105  # not a password
    MISMATCH = "MISMATCH"
    REVIEW = "REVIEW"
    PIN_WRONG = "PIN_WRONG"
    CERTIFICATE_EXPIRED = "CERTIFICATE_EXPIRED"
    REFUSED_BY_PERSON = "REFUSED_BY_PERSON"
    OPEN = "OPEN"


@dataclass(frozen=True, slots=True)
class NetworkAnswer:
    """The service's answer; `grade` and `purpose` are what the check was really made for and at."""

    result: NetworkResult
    grade: Grade
    purpose: str = ""
    valid_until: date | None = None


class NetworkIdentity(Protocol):
    """The national network identity service (网证). Its app shows the person what the check is for."""

    def begin(
        self, *, name: str, document: DocumentNumber, grade: Grade, purpose: str, return_url: str, request_id: UUID
    ) -> Challenge:
        """Begin a check of one person; again with the same `request_id` is the same check. Raises `PartnerUnavailable`."""
        ...

    def finish(self, *, challenge: str, token: str) -> NetworkAnswer:
        """What the check came to; `token` is what the app handed to the person's device, "" to ask after a review.

        Never trusts the device: the service is asked. Raises `PartnerUnavailable`, `PartnerRefused` (an unknown check, or
        a token that isn't its).
        """
        ...


class FaceResult(StrEnum):
    """What a live face check came to (ID-5, ID-6)."""

    PASS = "PASS"  # noqa: S105  # not a password
    FAIL = "FAIL"
    REVIEW = "REVIEW"


@dataclass(frozen=True, slots=True)
class FaceAnswer:
    """The outcome of a face check. No picture and no template is kept: only who checked, its number and the band (P-3)."""

    result: FaceResult
    audit_number: str
    score_band: str = ""
    purpose: str = ""


class FaceCheck(Protocol):
    """A live face check against the population source's picture, bound to one purpose (2.6, P-3)."""

    def begin(self, *, name: str, document: DocumentNumber, purpose: str, request_id: UUID) -> str:
        """Begin a check; the token that the device's camera page needs. Raises `PartnerUnavailable`."""
        ...

    def result(self, *, request_id: UUID) -> FaceAnswer:
        """What the check came to, asked of the provider and never believed from the device. Raises `PartnerUnavailable`."""
        ...
