"""Signing keys: made once, published before use, kept until all they signed is over."""

from __future__ import annotations

import threading

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import RSAKey
from sqlalchemy import text

from auth.oidc.keys import service
from core.actors import System
from core.db import transaction
from core.errors import StateConflict

ACTOR = System("tests")


def _kids(client: FlaskClient) -> list[str]:
    return [key["kid"] for key in client.get("/oidc/jwks").get_json()["keys"]]


def _older(hours: float) -> None:
    with transaction() as session:
        session.execute(
            text(
                f"UPDATE oidc_signing_key SET created_at = created_at - interval '{hours} hours',"
                f" leaves_at = leaves_at - interval '{hours} hours'"
            )
        )


def test_the_key_set_shows_public_keys_named_by_thumbprint(client: FlaskClient) -> None:
    answer = client.get("/oidc/jwks")
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    keys = answer.get_json()["keys"]
    assert len(keys) == 2
    for key in keys:
        assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
        assert (key["use"], key["alg"]) == ("sig", "RS256")
        assert RSAKey.import_key({"kty": "RSA", "n": key["n"], "e": key["e"]}).thumbprint() == key["kid"]


def test_private_keys_are_encrypted_in_the_database(client: FlaskClient) -> None:
    client.get("/oidc/jwks")
    with transaction() as session:
        stored = session.execute(text("SELECT private_key FROM oidc_signing_key")).scalars().all()
    assert len(stored) == 2
    assert all(b'"d"' not in bytes(value) for value in stored)


def test_rotation_publishes_before_use_and_keeps_the_old_key_until_its_tokens_are_over(client: FlaskClient) -> None:
    with transaction() as session:
        before = service.sign(session, {"sub": "x", "aud": "y"})
    first = _kids(client)
    with pytest.raises(StateConflict), transaction() as session:
        service.rotate(session, actor=ACTOR)
    _older(1)
    with transaction() as session:
        done = service.rotate(session, actor=ACTOR)
    assert done.active in first
    assert done.next not in first
    assert set(_kids(client)) == {*first, done.next}
    with transaction() as session:
        assert service.read_hint(session, before) is not None
        after = service.sign(session, {"sub": "x", "aud": "y"})
    assert _header(after)["kid"] == done.active
    _older(2.01)
    with transaction() as session:
        assert service.prune(session) == 1
    assert len(_kids(client)) == 2
    with transaction() as session:
        assert service.read_hint(session, before) is None
        assert service.read_hint(session, after) is not None


def test_a_leaked_key_is_gone_at_once(client: FlaskClient) -> None:
    with transaction() as session:
        before = service.sign(session, {"sub": "x", "aud": "y"})
    with transaction() as session:
        service.rotate(session, actor=ACTOR, at_once=True)
    with transaction() as session:
        assert service.read_hint(session, before) is None
    assert len(_kids(client)) == 2


def test_many_first_requests_make_one_pair(client: FlaskClient) -> None:
    start = threading.Barrier(4)

    def first() -> None:
        start.wait()
        with transaction() as session:
            service.ensure(session)

    threads = [threading.Thread(target=first) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with transaction() as session:
        states = session.execute(text("SELECT state FROM oidc_signing_key ORDER BY state")).scalars().all()
    assert list(states) == ["ACTIVE", "NEXT"]


def test_only_our_own_id_tokens_are_hints(client: FlaskClient) -> None:
    good = {"sub": "x", "aud": "y"}
    with transaction() as session:
        assert service.read_hint(session, service.sign(session, good)) is not None
        assert service.read_hint(session, service.sign(session, good, kind="logout+jwt")) is None
        assert service.read_hint(session, service.sign(session, {"sub": "x"})) is None
        assert service.read_hint(session, service.sign(session, {"aud": "y"})) is None
        for nonsense in ("", "a.b.c", "字", "x" * 9_000):
            assert service.read_hint(session, nonsense) is None


def _header(token: str) -> dict[str, str]:
    from joserfc import jws

    found: dict[str, str] = jws.extract_compact(token.encode()).headers()
    return found
