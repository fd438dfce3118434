"""Registering kiosks, proving one, and signing in with a card. The session is given; nothing here commits."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.errors import AccountFrozen, DocumentDiffers
from auth.accounts.rules import SubjectState
from auth.factors.service import SignIn
from auth.identity.errors import IdentityDocumentExpired
from auth.kiosks import rules
from auth.kiosks.errors import KioskExists
from auth.kiosks.models import Kiosk
from auth.sessions import service as sessions
from auth.sessions.rules import LoginResult, Method, Origin
from core import audit, cache, clock, ids
from core.actors import Partner, Staff
from core.errors import InvalidInput, NotFound, Replayed, SignatureInvalid, SourceUnavailable
from core.identifiers import DocumentType, name_key, normalise_document, normalise_name
from core.limits import hit


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as a kiosk signed it; `signature` in base64."""

    kiosk: str
    time: str
    nonce: str
    signature: str
    signed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Card:
    """What the reader read from the chip."""

    name: str = field(repr=False)
    document_type: str
    document_number: str = field(repr=False)
    valid_until: date | None


def register(session: Session, *, actor: Staff, code: str, name: str, hall_id: UUID, public_key: str) -> Kiosk:
    """Register a kiosk of a hall with its public key. Raises `InvalidInput`, `KioskExists`."""
    if not rules.is_key(public_key):
        raise InvalidInput(fields={"public_key": ["需要 Ed25519 公钥（PEM） / an Ed25519 public key in PEM"]})
    made = session.scalar(
        insert(Kiosk)
        .values(
            id=ids.uuid7(),
            code=code,
            name=name,
            hall_id=hall_id,
            public_key=public_key,
            active=True,
            registered_at=clock.now(),
            registered_by=actor.staff_id,
        )
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(Kiosk.id)
    )
    if made is None:
        raise KioskExists()
    audit.record(session, actor=actor, action="kiosk.register", object_type="kiosk", object_id=made, code=code)
    return session.get_one(Kiosk, made)


def set_active(session: Session, *, actor: Staff, kiosk_id: UUID, active: bool) -> Kiosk:
    """Shut a kiosk out (stolen, broken open), or let it back in. Raises `NotFound`."""
    kiosk = session.scalar(select(Kiosk).where(Kiosk.id == kiosk_id).with_for_update())
    if kiosk is None:
        raise NotFound()
    kiosk.active = active
    action = "kiosk.enable" if active else "kiosk.disable"
    audit.record(session, actor=actor, action=action, object_type="kiosk", object_id=kiosk.id, code=kiosk.code)
    return kiosk


def prove(session: Session, shown: Signed, now: datetime) -> Kiosk:
    """The active kiosk that signed this request, once, within a minute of `now` (true time).

    Raises `SignatureInvalid` whatever is wrong with it, `Replayed`, and `SourceUnavailable` while Redis is away: without
    the memory of nonces a recording would work.
    """
    kiosk = session.scalar(select(Kiosk).where(Kiosk.code == shown.kiosk, Kiosk.active))
    try:
        signature = base64.b64decode(shown.signature, validate=True)
    except (ValueError, binascii.Error):
        raise SignatureInvalid() from None
    if kiosk is None or not rules.is_nonce(shown.nonce) or not rules.is_timely(shown.time, now):
        raise SignatureInvalid()
    if not rules.is_signed(kiosk.public_key, signature, shown.signed):
        raise SignatureInvalid()
    seconds = int(2 * rules.WINDOW.total_seconds())
    try:
        fresh = cache.client().set(f"kiosk:{{{kiosk.id}}}:{shown.nonce}", "1", nx=True, ex=seconds)
    except RedisError:
        raise SourceUnavailable() from None
    if not fresh:
        raise Replayed()
    return kiosk


def sign_in(session: Session, *, kiosk: Kiosk, card: Card, address: str | None, language: str) -> SignIn:
    """Sign in whoever put the card into the reader: the person we know by it, or a new one.

    Raises `IdentifierError`, `IdentityDocumentExpired`, `DocumentDiffers` (name), `RateLimited`.
    """
    hit(rules.SIGN_INS, str(kiosk.id))
    today = clock.today()
    document = normalise_document(DocumentType(card.document_type), card.document_number, today=today)
    hit(rules.SIGN_INS_PER_CARD, people.document_lookup(document).hex())
    if card.valid_until is not None and card.valid_until < today:
        raise IdentityDocumentExpired()
    name = normalise_name(card.name)
    machine = Partner(f"kiosk:{kiosk.code}")
    origin = Origin("KIOSK", address, kiosk.code, language)
    subject_id = accounts.open_with_document(session, actor=machine, name=name, document=document, language=language)
    if people.standing(session, subject_id).state is SubjectState.FROZEN:
        sessions.note(session, subject_id=subject_id, origin=origin, method=Method.CARD, result=LoginResult.FROZEN)
        return SignIn(refusal=AccountFrozen())
    accounts.lock(session, subject_id)
    if name_key(people.person(session, subject_id).name or "") != name_key(name):
        raise DocumentDiffers()
    tokens = sessions.open_session(session, subject_id=subject_id, origin=origin, method=Method.CARD)
    session.execute(update(Kiosk).where(Kiosk.id == kiosk.id).values(last_seen_at=clock.now()))
    audit.record(
        session,
        actor=machine,
        action="kiosk.sign_in",
        object_type="subject",
        object_id=subject_id,
        kiosk=kiosk.code,
    )
    return SignIn(tokens)
