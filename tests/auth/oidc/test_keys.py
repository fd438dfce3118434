"""Signing keys: made once, published before use, kept until all they signed is over."""

from __future__ import annotations

import threading

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import text

from auth.oidc.keys import service
from auth.oidc.keys.rules import Algorithm
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
    assert sorted(key["alg"] for key in keys) == ["ES256", "ES256", "RS256", "RS256"]
    for key in keys:
        assert key["use"] == "sig"
        bare = {name: value for name, value in key.items() if name not in {"kid", "use", "alg"}}
        if key["alg"] == "RS256":
            assert set(bare) == {"kty", "n", "e"}
            assert RSAKey.import_key(bare).thumbprint() == key["kid"]
        else:
            assert (set(bare), bare["crv"]) == ({"kty", "crv", "x", "y"}, "P-256")
            assert ECKey.import_key(bare).thumbprint() == key["kid"]


def test_private_keys_are_encrypted_in_the_database(client: FlaskClient) -> None:
    client.get("/oidc/jwks")
    with transaction() as session:
        stored = session.execute(text("SELECT private_key FROM oidc_signing_key")).scalars().all()
    assert len(stored) == 4
    assert all(b'"d"' not in bytes(value) for value in stored)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_rotation_publishes_before_use_and_keeps_the_old_key_until_its_tokens_are_over(
    client: FlaskClient, algorithm: Algorithm
) -> None:
    with transaction() as session:
        before = service.sign(session, {"sub": "x", "aud": "y"}, algorithm=algorithm)
    first = _kids(client)
    with pytest.raises(StateConflict), transaction() as session:
        service.rotate(session, actor=ACTOR)
    _older(1)
    with transaction() as session:
        both = service.rotate(session, actor=ACTOR)
    assert {one.active for one in both} < set(first)
    assert not {one.next for one in both} & set(first)
    assert set(_kids(client)) == {*first, *(one.next for one in both)}
    (done,) = [one for one in both if one.algorithm is algorithm]
    with transaction() as session:
        assert service.read_hint(session, before) is not None
        after = service.sign(session, {"sub": "x", "aud": "y"}, algorithm=algorithm)
    assert (_header(after)["kid"], _header(after)["alg"]) == (done.active, algorithm)
    _older(2.01)
    with transaction() as session:
        assert service.prune(session) == 2
    assert len(_kids(client)) == 4
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
    assert len(_kids(client)) == 4


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
        made = (
            session.execute(text("SELECT algorithm || ' ' || state FROM oidc_signing_key ORDER BY 1")).scalars().all()
        )
    assert list(made) == ["ES256 ACTIVE", "ES256 NEXT", "RS256 ACTIVE", "RS256 NEXT"]


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
