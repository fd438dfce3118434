"""Access tokens: made here and verified here; and from a token to the citizen.

A token is a JWT (RFC 9068, ES256) whose `kid` is the thumbprint of the key (RFC 7638). It says which session it belongs
to; who that is and at which level is read from the database and kept, so that a token seen before costs no query. The
end of a session, a freeze and a changed level are announced by triggers (migration 0020) as they commit, and count
within a second in every process, at once in the one that committed them. While the announcements can't be heard, what
was read is trusted for one second, as it would be without them. A refusal is never decided on what was kept: `fresh`.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sqlalchemy import column, event, text
from sqlalchemy.orm import Session

from auth.identity import rules as identity_rules
from auth.identity.evidence.queries import standing_fresh_proof
from auth.identity.policies import queries as policies
from auth.identity.rules import EvidenceType, Proof, Purpose, Result
from auth.identity.ways.rules import step_up_ways
from auth.staff.authenticator import staff_of
from auth.staff.confirmations import queries as confirmations
from core import clock, ids
from core.actors import Channel, Citizen, Staff
from core.db import transaction
from core.errors import NotAuthenticated
from core.notices import Listener
from core.statements import Statement
from core.web.request_context import language

AUDIENCE = "ningbo-government-api"
TOKEN_TYPE = "at+jwt"  # noqa: S105  # a media type
TRUST_SECONDS = 1.0
"""How long what was read counts while announcements can't be heard."""
KEEP_SECONDS = 60.0
"""How long it counts at most."""
CHANNEL = "citizen_changed"

_ALGORITHM = "ES256"
_LONGEST_TOKEN = 2_000
_MOST_ENTRIES = 20_000

# Raw, in one statement and without a transaction: this runs before nearly every request.
_READ = Statement(
    text("""
        SELECT s.subject_id, s.channel, s.proofs_since, e.type, e.at, e.expires_at
        FROM citizen_session s
        JOIN subject p ON p.id = s.subject_id AND p.state = 'ACTIVE'
        LEFT JOIN identity_evidence e ON e.subject_id = s.subject_id AND e.result = 'PASS' AND e.revoked_at IS NULL
        WHERE s.id = :session_id AND s.ended_at IS NULL AND s.expires_at > :now
    """).columns(*map(column, ("subject_id", "channel", "proofs_since", "type", "at", "expires_at")))
)


class _Key:
    """The key pair of this process."""

    key: ECKey | None = None
    issuer = ""


@dataclass(frozen=True, slots=True)
class _Known:
    """A token whose signature was verified, and whose it was at `read_at` (monotonic)."""

    session_id: UUID
    expires: float
    citizen: Citizen | None = None
    read_at: float = float("-inf")
    proven_until: datetime | None = None


_lock = threading.Lock()
_known: dict[bytes, _Known] = {}
# When something of a subject last changed (monotonic): what was read before doesn't count.
_changed_at: dict[UUID, float] = {}


def configure(private_key: str, issuer: str) -> None:
    """Load the key of access tokens (PEM, P-256) and the address of this service. Raises `ValueError` for another key."""
    key = ECKey.import_key(private_key)
    if key.curve_name != "P-256" or not key.is_private:
        raise ValueError("TOKEN_PRIVATE_KEY must be a private key on P-256")
    _Key.key, _Key.issuer = ECKey.import_key(private_key, {"kid": key.thumbprint()}), issuer
    with _lock:
        _known.clear()


def _key() -> ECKey:
    if _Key.key is None:
        raise RuntimeError("auth.sessions.authenticator.configure() has not run")
    return _Key.key


def issue(
    *, subject_id: UUID, session_id: UUID, channel: Channel, level: int, now: datetime, expires_at: datetime
) -> str:
    """An access token. `lvl` tells the client what it had at that time; nothing here ever believes it."""
    key = _key()
    claims = {
        "iss": _Key.issuer,
        "aud": AUDIENCE,
        "sub": str(subject_id),
        "sid": str(session_id),
        "chn": channel,
        "lvl": level,
        "iat": int(now.timestamp()),
        "exp": int(expires_at.timestamp()),
        "jti": ids.random_token(128),
    }
    return jwt.encode({"alg": _ALGORITHM, "typ": TOKEN_TYPE, "kid": key.kid}, claims, key)


def listen(conninfo: str) -> None:
    """Hear what other processes change, at the database of `conninfo`."""
    _listener.start(conninfo)


def citizen_of(token: str, *, fresh: bool = False) -> Citizen:
    """The citizen whose session `token` belongs to, at the level the evidence gives now. Raises `NotAuthenticated`.

    `fresh` looks into the database whatever was kept: for a refusal, which mustn't hit whoever has just proven more.
    """
    digest = hashlib.sha256(token.encode()).digest()
    known = _known.get(digest)
    citizen = None if known is None or fresh else _still_known(known)
    if known is None:
        known = _verified(token)
    if time.time() >= known.expires:
        raise _refused()
    if citizen is None:
        read_at = time.monotonic()
        found = _read(known.session_id)
        if found is None:
            raise _refused()
        citizen, proven_until = found
        with _lock:
            if len(_known) >= _MOST_ENTRIES:
                _known.clear()
            _known[digest] = _Known(known.session_id, known.expires, citizen, read_at, proven_until)
    return citizen


def _still_known(known: _Known) -> Citizen | None:
    citizen, age = known.citizen, time.monotonic() - known.read_at
    if citizen is None or age >= KEEP_SECONDS:
        return None
    if age >= TRUST_SECONDS and not _listener.heard_since(known.read_at):
        return None
    changed_at = _changed_at.get(citizen.subject_id)
    if changed_at is not None and changed_at >= known.read_at:
        return None
    return citizen if known.proven_until is None or clock.now() < known.proven_until else None


def changed(session: Session, subject_id: UUID) -> None:
    """Something about this person's sessions or level changes with `session`'s commit: then this process looks again."""
    event.listen(session, "after_commit", lambda _session: _note_change(subject_id))


def _note_change(subject_id: UUID) -> None:
    now = time.monotonic()
    with _lock:
        if len(_changed_at) >= _MOST_ENTRIES:
            for other in [other for other, at in _changed_at.items() if now - at >= KEEP_SECONDS]:
                del _changed_at[other]
        _changed_at[subject_id] = now


_listener = Listener(CHANNEL, lambda payload: _note_change(UUID(payload)))


def _verified(token: str) -> _Known:
    if len(token) > _LONGEST_TOKEN:
        raise _refused()
    try:
        found = jwt.decode(token, _key(), algorithms=[_ALGORITHM])
        claims: dict[str, Any] = found.claims
        good = found.header.get("typ") == TOKEN_TYPE and claims["iss"] == _Key.issuer and claims["aud"] == AUDIENCE
        known = _Known(UUID(claims["sid"]), float(claims["exp"]))
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        raise _refused() from None
    if not good:
        raise _refused()
    return known


def _read(session_id: UUID) -> tuple[Citizen, datetime | None] | None:
    """Who it is, and when the first of the proofs expires."""
    rows = _READ.alone(session_id=session_id, now=clock.wall())
    if not rows:
        return None
    proofs = [Proof(EvidenceType(kind), Result.PASS, at, ends) for *_, kind, at, ends in rows if kind is not None]
    subject_id, channel, proofs_since, *_ = rows[0]
    now = clock.now()
    level = identity_rules.level(proofs, now, since=proofs_since, policy=policies.in_force(now), channel=channel)
    ends = [proof.expires_at for proof in proofs if proof.expires_at is not None and proof.expires_at > now]
    citizen = Citizen(subject_id=subject_id, session_id=session_id, level=level, channel=channel)
    return citizen, min(ends, default=None)


def _refused() -> NotAuthenticated:
    return NotAuthenticated(headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


class TokenAuthenticator:
    """What `core.web.access` asks about tokens."""

    def citizen(self, token: str, *, fresh: bool = False) -> Citizen:
        """The citizen of an access token; `fresh` trusts nothing kept. Raises `NotAuthenticated`."""
        return citizen_of(token, fresh=fresh)

    def staff(self, token: str) -> Staff:
        """The member of staff of a staff token. Raises `NotAuthenticated`."""
        return staff_of(token)

    def has_confirmed(self, actor: Staff, act: str) -> bool:
        """Whether the member confirmed this kind of act in this session a moment ago."""
        with transaction() as session:
            return confirmations.stands(session, session_id=actor.session_id, act=act, now=clock.wall())

    def step_up_ways(self, actor: Citizen, needed_level: int) -> Sequence[dict[str, object]]:
        """The ways open to this person on this channel (RFC 9470, DOMAIN 3.7)."""
        held = min(actor.level, needed_level - 1)
        return step_up_ways(actor.channel, held, needed_level, language=language())

    def has_fresh_proof(self, actor: Citizen, purpose: str) -> bool:
        """Whether the citizen could use a fresh proof for the act `purpose` now (3.7 level 4). Uses none up."""
        with transaction() as session:
            now = clock.now()
            return standing_fresh_proof(session, actor=actor, purpose=Purpose(purpose), now=now) is not None
