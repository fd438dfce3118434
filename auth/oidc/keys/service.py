"""Making, rotating and using the signing keys. The session is given; nothing here commits."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from auth.oidc.keys import queries, rules
from auth.oidc.keys.models import OidcSigningKey
from auth.oidc.keys.ports import Issuer
from auth.oidc.keys.rules import ALGORITHMS, Algorithm, KeyState
from core import audit, clock, ports
from core.actors import Actor
from core.errors import StateConflict

_LOCK = 0x6F69646B  # "oidk" in ASCII
_LONGEST_TOKEN = 8_000


class _Loaded:
    """Private keys of this process by kid: importing one takes longer than signing with it."""

    lock = threading.Lock()
    keys: dict[str, RSAKey | ECKey] = {}  # noqa: RUF012  # one per process, on purpose


@dataclass(frozen=True, slots=True)
class Rotated:
    """Which key of an algorithm signs now, and which is published to follow it."""

    algorithm: Algorithm
    active: str
    next: str


def issuer() -> str:
    """The provider's name."""
    return ports.get(Issuer).url


def ensure(session: Session) -> None:
    """Make each algorithm's signing key and the one that follows it, unless they exist. Two processes at once make one pair."""
    if not _missing(session):
        return
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    for algorithm, state in sorted(_missing(session)):
        _make(session, algorithm, state)


def _missing(session: Session) -> set[tuple[Algorithm, KeyState]]:
    wanted = {(algorithm, state) for algorithm in Algorithm for state in (KeyState.ACTIVE, KeyState.NEXT)}
    rows = session.execute(select(OidcSigningKey.algorithm, OidcSigningKey.state))
    return wanted - {(Algorithm(row.algorithm), KeyState(row.state)) for row in rows}


def rotate(session: Session, *, actor: Actor, at_once: bool = False) -> list[Rotated]:
    """Let the published next keys sign, the signing ones retire, and publish new next ones, of every algorithm.

    `at_once` (a signing key leaked): the old keys leave the key set now, so that what they signed is refused. Raises
    `StateConflict` while clients may not have seen a next key yet (it was published less than an hour ago).
    """
    ensure(session)
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    done = [_rotate(session, actor, algorithm, at_once=at_once) for algorithm in Algorithm]
    prune(session)
    return done


def _rotate(session: Session, actor: Actor, algorithm: Algorithm, *, at_once: bool) -> Rotated:
    now = clock.wall()
    active, following = (_of(session, algorithm, state) for state in (KeyState.ACTIVE, KeyState.NEXT))
    assert active is not None and following is not None  # noqa: S101  # ensure() made both
    if not at_once and not rules.may_activate(following.created_at, now):
        raise StateConflict()
    if at_once:
        session.delete(active)
    else:
        active.state, active.leaves_at = KeyState.RETIRING, rules.leaves_at(now)
    session.flush()
    following.state, following.activated_at = KeyState.ACTIVE, now
    session.flush()
    made = _make(session, algorithm, KeyState.NEXT)
    audit.record(
        session,
        actor=actor,
        action="oidc_key.rotate",
        object_type="oidc_signing_key",
        object_id=following.kid,
        at_once=at_once,
    )
    return Rotated(algorithm, following.kid, made.kid)


def prune(session: Session) -> int:
    """Take keys whose tokens are all over out of the key set; how many."""
    gone = delete(OidcSigningKey).where(OidcSigningKey.leaves_at < clock.wall()).returning(OidcSigningKey.id)
    return len(session.scalars(gone).all())


def key_set(session: Session) -> dict[str, Any]:
    """The key set to publish (RFC 7517)."""
    ensure(session)
    return {"keys": list(queries.published(session))}


def sign(session: Session, claims: dict[str, Any], *, algorithm: Algorithm = Algorithm.RS256, kind: str = "JWT") -> str:
    """`claims` as a JWT of type `kind`, signed by the key of `algorithm` that signs now; `iss` is added."""
    ensure(session)
    row = _of(session, algorithm, KeyState.ACTIVE)
    assert row is not None  # noqa: S101  # ensure() made it
    header = {"alg": algorithm.value, "typ": kind, "kid": row.kid}
    return jwt.encode(header, {"iss": issuer(), **claims}, _loaded(row), algorithms=[algorithm.value])


def read_hint(session: Session, token: str) -> dict[str, Any] | None:
    """The claims of an ID token that we signed, expired or not (as `id_token_hint`); None for anything else."""
    if len(token) > _LONGEST_TOKEN:
        return None
    ensure(session)
    published = KeySet.import_key_set({"keys": list(queries.published(session))})
    try:
        found = jwt.decode(token, published, algorithms=ALGORITHMS)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
    claims = dict(found.claims)
    good = found.header.get("typ", "JWT") == "JWT" and claims.get("iss") == issuer()
    return claims if good and isinstance(claims.get("aud"), str) and isinstance(claims.get("sub"), str) else None


def _of(session: Session, algorithm: Algorithm, state: KeyState) -> OidcSigningKey | None:
    query = select(OidcSigningKey).where(OidcSigningKey.algorithm == algorithm, OidcSigningKey.state == state)
    return session.scalar(query)


def _make(session: Session, algorithm: Algorithm, state: KeyState) -> OidcSigningKey:
    made: RSAKey | ECKey
    if algorithm is Algorithm.RS256:
        made = RSAKey.generate_key(rules.KEY_BITS, auto_kid=False)
    else:
        made = ECKey.generate_key(rules.CURVE, auto_kid=False)
    kid = made.thumbprint()
    now = clock.wall()
    row = OidcSigningKey(
        kid=kid,
        algorithm=algorithm,
        private_key=json.dumps(made.as_dict(private=True)),
        public_jwk={**made.as_dict(private=False), "kid": kid, "use": "sig", "alg": algorithm.value},
        state=state,
        created_at=now,
        activated_at=now if state is KeyState.ACTIVE else None,
    )
    session.add(row)
    session.flush()
    return row


def _loaded(row: OidcSigningKey) -> RSAKey | ECKey:
    with _Loaded.lock:
        if row.kid not in _Loaded.keys:
            kind: type[RSAKey | ECKey] = RSAKey if row.algorithm == Algorithm.RS256 else ECKey
            _Loaded.keys[row.kid] = kind.import_key(json.loads(row.private_key))
        return _Loaded.keys[row.kid]
