"""Access tokens: what is accepted, and how soon a change counts (ID-9)."""

import base64
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from sqlalchemy import text

from auth.sessions import authenticator
from auth.sessions.authenticator import TokenAuthenticator, citizen_of
from core import clock, db
from core.actors import Citizen
from core.db import transaction
from core.errors import NotAuthenticated
from core.settings import Settings
from tests.factories.auth import headers_for

pytestmark = pytest.mark.usefixtures("database")


def token_of(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims, _ = token.split(".")
    return tuple(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims))


def refused(token: str) -> bool:
    try:
        citizen_of(token)
    except NotAuthenticated:
        return True
    return False


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def test_what_a_token_says(citizen: Callable[..., Any], settings: Settings) -> None:
    actor, headers = citizen(level=2)
    header, claims = parts(token_of(headers))
    key = ECKey.import_key(settings.crypto.token_private_key)
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": key.thumbprint()}
    assert (claims["iss"], claims["aud"]) == (settings.public_url, authenticator.AUDIENCE)
    assert (claims["sub"], claims["sid"]) == (str(actor.subject_id), str(actor.session_id))
    assert (claims["chn"], claims["lvl"], claims["exp"] - claims["iat"]) == ("WXMP", 2, 900)
    assert len(claims["jti"]) >= 20
    assert citizen_of(token_of(headers)) == actor == TokenAuthenticator().citizen(token_of(headers))


def test_somebody_elses_library_verifies_it(citizen: Callable[..., Any], settings: Settings) -> None:
    """The signature is plain ES256: checked with `cryptography` alone."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    _, headers = citizen()
    signed, _, signature = token_of(headers).rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key = serialization.load_pem_private_key(settings.crypto.token_private_key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    key.public_key().verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize(
    ("header", "change"),
    [
        ({}, {"exp": 1}),
        ({}, {"iss": "https://elsewhere.example"}),
        ({}, {"aud": "somebody-else"}),
        ({}, {"sid": "not-a-uuid"}),
        ({}, {"sid": str(uuid4())}),
        ({}, {"exp": "soon"}),
        ({"typ": "JWT"}, {}),
    ],
)
def test_a_token_signed_by_us_for_something_else_is_refused(
    citizen: Callable[..., Any], settings: Settings, header: dict[str, str], change: dict[str, Any]
) -> None:
    _, headers = citizen()
    found_header, claims = parts(token_of(headers))
    key = ECKey.import_key(settings.crypto.token_private_key)
    assert refused(jwt.encode(found_header | header, claims | change, key))
    assert not refused(jwt.encode(found_header, claims, key))


@pytest.mark.parametrize("missing", ["sid", "exp", "iss", "aud"])
def test_a_token_without_a_needed_claim_is_refused(
    citizen: Callable[..., Any], settings: Settings, missing: str
) -> None:
    _, headers = citizen()
    header, claims = parts(token_of(headers))
    del claims[missing]
    assert refused(jwt.encode(header, claims, ECKey.import_key(settings.crypto.token_private_key)))


def test_forged_tokens_are_refused(citizen: Callable[..., Any], settings: Settings) -> None:
    _, headers = citizen()
    token = token_of(headers)
    header, claims = parts(token)
    body = token.split(".")[1]
    unsigned = base64.urlsafe_b64encode(json.dumps(header | {"alg": "none"}).encode()).rstrip(b"=").decode()
    stranger = ECKey.generate_key("P-256")
    public = (
        serialization.load_pem_private_key(settings.crypto.token_private_key.encode(), None)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    shared = OctKey.import_key(base64.b64encode(public))
    forged = [
        f"{unsigned}.{body}.",
        jwt.encode(header, claims, stranger),
        jwt.encode(header | {"alg": "HS256"}, claims, shared, algorithms=["HS256"]),
        token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"),
        token + "A" * 3_000,
        "",
        "a.b.c",
        "令牌",
        token.split(".", maxsplit=1)[0],
    ]
    assert [refused(attempt) for attempt in forged] == [True] * len(forged)


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP384R1())])
def test_another_curve_is_not_taken_for_our_key(key: ec.EllipticCurvePrivateKey) -> None:
    with pytest.raises(ValueError, match="P-256"):
        authenticator.configure(pem(key), "https://example.org")


def test_an_expired_token_is_refused_even_if_it_was_seen(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen()
    now = clock.wall()
    token = authenticator.issue(
        subject_id=actor.subject_id,
        session_id=actor.session_id,
        channel=actor.channel,
        level=2,
        now=now,
        expires_at=now + timedelta(seconds=2),
    )
    assert not refused(token)
    time.sleep(2.1)
    assert refused(token)


def test_the_level_in_the_token_is_not_believed(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    boastful = Citizen(actor.subject_id, actor.session_id, 3, actor.channel)
    assert citizen_of(token_of(headers_for(boastful))).level == 1


def elsewhere(statement: str, **values: Any) -> None:
    """What another process commits: this one isn't told."""
    with transaction() as session:
        session.execute(text(statement), values)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE citizen_session SET ended_at = now(), end_reason = 'SIGNED_OUT' WHERE id = :sid",
        "UPDATE citizen_session SET expires_at = now() WHERE id = :sid",
        "UPDATE subject SET state = 'FROZEN' WHERE id = :sub",
    ],
)
def test_an_end_in_another_process_counts_within_a_second(citizen: Callable[..., Any], statement: str) -> None:
    actor, headers = citizen(level=2)
    token = token_of(headers)
    assert citizen_of(token) == actor
    values = {"sid": actor.session_id} if ":sid" in statement else {"sub": actor.subject_id}
    elsewhere(statement, **values)
    time.sleep(authenticator.TRUST_SECONDS + 0.05)
    assert refused(token)


def test_a_lower_level_in_another_process_counts_within_a_second(citizen: Callable[..., Any]) -> None:
    actor, headers = citizen(level=3)
    token = token_of(headers)
    assert citizen_of(token).level == 3
    elsewhere(
        "UPDATE identity_evidence SET revoked_at = now(), revoked_reason = 'TEST' WHERE subject_id = :sub AND type = 'HALL'",
        sub=actor.subject_id,
    )
    time.sleep(authenticator.TRUST_SECONDS + 0.05)
    assert citizen_of(token).level == 2


def test_a_level_just_raised_counts_at_once_whichever_process_raised_it(citizen: Callable[..., Any]) -> None:
    """0 → 1 → 2 are steps of one sitting: the next request must not wait for the announcement."""
    actor, headers = citizen(level=1)
    token = token_of(headers)
    assert citizen_of(token).level == 1
    elsewhere(
        "INSERT INTO identity_evidence (id, subject_id, type, provider, subject_hash, result, at)"
        " VALUES (:id, :sub, 'NAME_NUMBER', 'test', 'x', 'PASS', now())",
        id=uuid4(),
        sub=actor.subject_id,
    )
    assert citizen_of(token, fresh=True).level == 2
    assert citizen_of(token).level == 2


def test_a_seen_token_costs_no_query(citizen: Callable[..., Any], count_queries: Callable[[], Any]) -> None:
    """Not even when what was read would be too old, if announcements were not heard: then it would be read four times here.

    Once more is forgiven: on a starved machine the announcements may stay out for a moment.
    """
    _, headers = citizen(level=1)
    token = token_of(headers)
    with count_queries() as queries:
        citizen_of(token)
        assert len(queries) == 1
        until = time.monotonic() + 3 * authenticator.TRUST_SECONDS + 0.5
        while time.monotonic() < until:
            citizen_of(token)
            time.sleep(0.02)
    assert len(queries) <= 2


def test_without_announcements_a_seen_token_is_read_again_after_a_second(
    citizen: Callable[..., Any], count_queries: Callable[[], Any], settings: Settings
) -> None:
    _, headers = citizen(level=2)
    token = token_of(headers)
    authenticator.listen("host=127.0.0.1 port=9 connect_timeout=1")
    try:
        with count_queries() as queries:
            citizen_of(token)
            citizen_of(token)
            assert len(queries) == 1
            time.sleep(authenticator.TRUST_SECONDS + 0.05)
            citizen_of(token)
        assert len(queries) == 2
    finally:
        authenticator.listen(db.conninfo(settings.database_url, "tests"))


def test_a_proof_that_expires_meanwhile_stops_counting(citizen: Callable[..., Any]) -> None:
    actor, headers = citizen(level=3)
    elsewhere(
        "UPDATE identity_evidence SET expires_at = now() + interval '1 hour' WHERE subject_id = :sub AND type = 'HALL'",
        sub=actor.subject_id,
    )
    assert citizen_of(token_of(headers)).level == 3
    with clock.shift(timedelta(hours=1)):
        assert citizen_of(token_of(headers)).level == 2


def test_what_is_rolled_back_changes_nothing(citizen: Callable[..., Any], count_queries: Callable[[], Any]) -> None:
    actor, headers = citizen(level=2)
    token = token_of(headers)
    time.sleep(0.5)  # what made the person is announced too
    citizen_of(token)
    with pytest.raises(RuntimeError), transaction() as session:
        authenticator.changed(session, actor.subject_id)
        raise RuntimeError("rolled back")
    with count_queries() as queries:
        citizen_of(token)
    assert queries == []
    with transaction() as session:
        authenticator.changed(session, actor.subject_id)
        session.execute(text("SELECT 1"))
    with count_queries() as queries:
        citizen_of(token)
    assert len(queries) == 1
