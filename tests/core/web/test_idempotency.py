"""`run_once`: one act per caller and key, however the requests meet."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from flask import Flask, Response, g, jsonify, request

from core import callbacks, db
from core.actors import Partner
from core.callbacks import PartnerCallback
from core.errors import StateConflict
from core.web.access import Access
from core.web.idempotency import run_once
from gateway import errors


@pytest.fixture
def toy(database: Flask) -> Flask:
    """A small application with one idempotent POST that writes a row, or writes and refuses."""
    toy = Flask("toy")
    errors.register(toy)

    @toy.before_request
    def _who() -> None:
        g.actor = Partner(request.headers.get("X-Who", "one"))

    @toy.post("/act")
    @run_once
    def act() -> Response:
        with db.transaction() as session:
            key = str(uuid4())
            callbacks.store(session, partner="test", event_key=key, body=b"", content_type="")
            if request.get_json().get("refuse"):
                raise StateConflict()
        return jsonify(made=key)

    act.__access__ = Access("public")  # type: ignore[attr-defined]
    return toy


def _rows() -> int:
    with db.transaction() as session:
        return session.query(PartnerCallback).count()


def _post(toy: Flask, key: str | None, who: str = "one", **body: object) -> tuple[int, object]:
    headers = {"X-Who": who} | ({"Idempotency-Key": key} if key else {})
    answer = toy.test_client().post("/act", json=body, headers=headers)
    return answer.status_code, answer.get_json()


def test_the_same_key_replays_the_first_answer(toy: Flask) -> None:
    assert _post(toy, "key-00001") == _post(toy, "key-00001")
    assert _rows() == 1


def test_another_body_under_the_same_key_is_refused(toy: Flask) -> None:
    _post(toy, "key-00001")
    status, body = _post(toy, "key-00001", other=1)
    assert status == 422
    assert body["code"] == "IDEMPOTENCY_KEY_REUSED"  # type: ignore[index]
    assert _rows() == 1


@pytest.mark.parametrize("key", [None, "short", "x" * 101, "bad key!"])
def test_a_missing_or_malformed_key_is_refused(toy: Flask, key: str | None) -> None:
    status, body = _post(toy, key)
    assert (status, body["code"]) == (400, "IDEMPOTENCY_KEY_MISSING")  # type: ignore[index]
    assert _rows() == 0


def test_keys_belong_to_their_caller(toy: Flask) -> None:
    assert _post(toy, "key-00001", who="one") != _post(toy, "key-00001", who="two")
    assert _rows() == 2


def test_a_refusal_leaves_nothing_and_a_retry_is_judged_afresh(toy: Flask) -> None:
    assert _post(toy, "key-00001", refuse=True)[0] == 409
    assert _rows() == 0
    assert _post(toy, "key-00001", refuse=False)[0] == 200
    assert _rows() == 1


def test_twenty_simultaneous_requests_make_one_row_and_one_answer(toy: Flask) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _n: str(_post(toy, "key-00001")), range(20)))
    assert len(set(answers)) == 1
    assert _rows() == 1
