"""The offline bundle as a phone takes, verifies and keeps it."""

import base64
import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from casework.catalogue import queries as catalogue
from casework.catalogue.answers import service as answers
from casework.catalogue.bundle import jobs as bundle_jobs
from casework.catalogue.bundle import rules, service
from core import clock
from core.actors import System
from core.db import transaction
from tests.factories import items

WHOLE = "/api/v1/catalogue/bundle"
CHANGES = f"{WHOLE}/changes?from="
KEYS = f"{WHOLE}/keys"
GZIP = {"Accept-Encoding": "gzip"}


def build() -> service.Built:
    with transaction() as session:
        made = service.build(session)
    assert made is not None
    return made


def replace_key() -> None:
    with transaction() as session:
        service.replace_key(session, actor=System("operator"))


def number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def verify(client: FlaskClient, signature: str, body: bytes) -> None:
    """As docs/reference/offline-bundle.md says, with nothing but elliptic curves. Raises `InvalidSignature`."""
    header, payload, signed = signature.split(".")
    assert payload == ""
    told = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    (key,) = client.get(KEYS).get_json()["keys"]
    assert told == {"alg": "ES256", "b64": False, "crit": ["b64"], "kid": key["kid"]}
    assert "d" not in key
    public = ec.EllipticCurvePublicNumbers(number(key["x"]), number(key["y"]), ec.SECP256R1()).public_key()
    both = number(signed)
    pair = encode_dss_signature(both >> 256, both & (2**256 - 1))
    public.verify(pair, f"{header}.".encode() + body, ec.ECDSA(SHA256()))


def took(client: FlaskClient, address: str) -> TestResponse:
    answer = client.get(address)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    verify(client, answer.headers["X-Bundle-Signature"], answer.data)
    return answer


def applied(whole: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """What a phone holds after it took the changes."""
    held = {entry["i"]: entry for entry in whole["items"] if entry["i"] not in changes["removed"]}
    held |= {entry["i"]: entry for entry in (*changes["added"], *changes["changed"])}
    beside = {"from", "from_etag", "etag", "added", "changed", "removed"}
    return {key: value for key, value in changes.items() if key not in beside} | {
        "items": [held[key] for key in sorted(held)]
    }


def test_it_is_asked_for_before_there_is_one_and_made_once(client: FlaskClient, run_jobs: Callable[..., None]) -> None:
    for address in (WHOLE, f"{CHANGES}1", WHOLE):
        answer = client.get(address)
        assert (answer.status_code, answer.get_json()["code"]) == (503, "SOURCE_UNAVAILABLE")
        assert int(answer.headers["Retry-After"]) > 0
    assert client.get(KEYS).get_json() == {"keys": []}
    run_jobs()
    assert took(client, WHOLE).get_json()["bundle"] == 1
    bundle_jobs.follow()
    assert client.get(WHOLE).get_json()["bundle"] == 1


def test_every_item_in_force_is_in_it_as_the_guide_says(client: FlaskClient) -> None:
    build()
    told = took(client, WHOLE).get_json()
    assert told["notice"].startswith("样例数据")
    entries = {entry["i"]: entry for entry in told["items"]}
    assert len(entries) == len(told["items"]) == 114
    with transaction() as session:
        item = catalogue.item_in_force(session, "NB-002", clock.today())
    entry = entries["NB-002"]
    assert (entry["n"], told["zones"][entry["z"]]) == (item.name, item.zone_name)
    assert told["departments"][entry["d"]] == item.department_name
    assert [paper["n"] for paper in entry["m"]] == [material.name for material in item.materials]
    assert [fee.get("a") for fee in entry["f"]] == [line.amount_fen for line in item.fee_lines]
    assert entry["p"][:2] == [item.promised_limit.value, item.promised_limit.unit]
    assert (entry["c"], entry["s"]) == (item.consult, 1)


def test_tampering_is_seen(client: FlaskClient) -> None:
    build()
    answer = client.get(WHOLE)
    signature = answer.headers["X-Bundle-Signature"]
    with pytest.raises(InvalidSignature):
        verify(client, signature, answer.data.replace(b'"a":', b'"a":1', 1))
    other = client.get(f"{CHANGES}1").headers["X-Bundle-Signature"]
    with pytest.raises(InvalidSignature):
        verify(client, other, answer.data)


def test_it_is_sent_as_it_is_kept_and_once(client: FlaskClient, count_queries: Callable[[], Any]) -> None:
    build()
    plain = client.get(WHOLE)
    assert "Content-Encoding" not in plain.headers
    with count_queries() as seen:
        small = client.get(WHOLE, headers=GZIP)
    assert len(seen) == 2, seen
    assert small.headers["Content-Encoding"] == "gzip"
    assert len(small.data) * 4 < len(plain.data)
    assert gzip.decompress(small.data) == plain.data
    assert small.headers["Vary"] == "Accept-Encoding"
    assert client.get(WHOLE, headers={"Accept-Encoding": "gzip;q=0"}).data == plain.data
    with count_queries() as seen:
        again = client.get(WHOLE, headers={**GZIP, "If-None-Match": small.headers["ETag"]})
    assert (again.status_code, again.data, len(seen)) == (304, b"", 1)
    assert client.get(WHOLE, headers={"If-None-Match": '"other"'}).status_code == 200
    with count_queries() as seen:
        changes = client.get(f"{CHANGES}1", headers=GZIP)
    assert (changes.status_code, len(seen)) == (200, 1)
    assert client.get(f"{CHANGES}1", headers={"If-None-Match": changes.headers["ETag"]}).status_code == 304


def test_what_is_published_leads_from_the_old_to_the_new(client: FlaskClient, own_database: str) -> None:
    build()
    old = took(client, WHOLE)
    with transaction() as session:
        items.published(session, items.managers(session), "process", hours="8:00-20:00")
    bundle_jobs.follow()
    new = took(client, WHOLE)
    assert new.headers["ETag"] != old.headers["ETag"]
    changes = took(client, f"{CHANGES}1").get_json()
    assert (changes["from"], changes["from_etag"]) == (1, old.headers["ETag"])
    assert (changes["bundle"], changes["etag"]) == (2, new.headers["ETag"])
    assert [entry["i"] for entry in changes["changed"]] == [items.ITEM]
    assert changes["changed"][0]["h"] == "8:00-20:00"
    assert applied(old.get_json(), changes) == new.get_json()
    assert applied(new.get_json(), took(client, f"{CHANGES}2").get_json()) == new.get_json()


def test_what_comes_into_force_at_midnight_is_in_the_first_bundle_of_the_day(
    client: FlaskClient, own_database: str
) -> None:
    tomorrow = clock.today() + timedelta(days=1)
    with transaction() as session:
        pair = items.managers(session)
        items.published(session, pair, "process", effective_from=tomorrow, hours="8:00-20:00")
    build()
    old = took(client, WHOLE).get_json()
    assert not build().made
    with clock.at(clock.day_start(tomorrow)):
        bundle_jobs.follow()
        changes = took(client, f"{CHANGES}1").get_json()
    assert [entry["h"] for entry in changes["changed"]] == ["8:00-20:00"]
    assert applied(old, changes)["day"] == tomorrow.isoformat()


def test_nothing_new_is_made_while_nothing_changed(client: FlaskClient, own_database: str) -> None:
    first = build()
    assert (first.number, first.items, first.made) == (1, 114, True)
    with transaction() as session:
        answers.touch(session)
    assert (build().number, build().made) == (1, False)
    with transaction() as session:
        session.execute(text("UPDATE zone SET name = '新区' WHERE code = (SELECT min(code) FROM zone)"))
        answers.touch(session)
    assert (build().number, build().made) == (2, False)
    changes = took(client, f"{CHANGES}1").get_json()
    assert (changes["added"], changes["changed"], changes["removed"]) == ([], [], [])
    assert "新区" in changes["zones"].values()


def test_two_at_once_make_one(client: FlaskClient) -> None:
    with transaction() as first, transaction() as second:
        made = service.build(first)
        assert made is not None
        assert service.build(second) is None
    assert (build().number, build().made) == (made.number, False)


def test_the_last_ones_are_kept_and_older_ones_take_the_whole(client: FlaskClient) -> None:
    for _ in range(rules.KEPT + 1):
        replace_key()
    assert took(client, f"{CHANGES}2").get_json()["bundle"] == rules.KEPT + 1
    for unknown in (1, rules.KEPT + 2):
        answer = client.get(f"{CHANGES}{unknown}")
        told = answer.get_json()
        assert (answer.status_code, told["code"], told["whole"]) == (410, "BUNDLE_TOO_OLD", WHOLE)
    for wrong in ("", "0", "-1", "x", "99999999999999999999"):
        assert client.get(f"{CHANGES}{wrong}").status_code == 422, wrong


def test_a_new_key_signs_the_newest_anew(client: FlaskClient) -> None:
    build()
    before = client.get(WHOLE)
    old_key = client.get(KEYS).get_json()
    replace_key()
    assert client.get(KEYS).get_json() != old_key
    assert took(client, WHOLE).get_json()["items"] == before.get_json()["items"]
    took(client, f"{CHANGES}1")
    with transaction() as session:
        kept = session.execute(text("SELECT private_key FROM catalogue_bundle_key")).scalar_one()
    assert b'"d"' not in bytes(kept)
