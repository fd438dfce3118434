"""The national network identity service (网证): a check begun by the product, made by the person in the service's app.

There is no public wire format, so this contract is the project's own; README.md states it. The app is a page here: a
browser can click it through, and the control endpoint does the same for a test.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sandbox import identity_authority, signed
from sandbox.personas import Persona
from sandbox.world import BadControl, beijing, control_body, need, world

blueprint = Blueprint("network_identity", __name__, url_prefix="/network-identity")
control = Blueprint("network_identity_control", __name__, url_prefix="/_sandbox/network-identity")

NAME = "network-identity"
PIN = "123456"
PIN_TRIES = 3
LASTS_SECONDS = 300
GRADES = ("BASIC", "HIGH", "PIN")
_BEGIN = ("request_id", "name", "document_type", "document_number", "grade", "purpose", "return_url")


def business_error(value: object) -> Response:
    """An answer of HTTP 200 whose result is `value`."""
    body = request.get_json(silent=True) or {}
    return signed.answer(NAME, 200, challenge=body.get("challenge"), result=str(value), grade="HIGH", purpose="")


@blueprint.post("/v1/challenges")
def begin() -> ResponseReturnValue:
    """Begin a check of one person; the same request_id is the same check."""
    refused = signed.refusal(NAME)
    if refused is not None:
        return refused
    body = signed.texts(*_BEGIN, empty=("purpose",))
    if body is None or body["grade"] not in GRADES:
        return signed.answer(NAME, 400, error="fields")
    with world().store.transaction() as db:
        db.execute(
            "INSERT OR IGNORE INTO network_check (challenge, request_id, name, document_type, document_number, grade,"
            " purpose, return_url, result, token, tries, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'OPEN', ?, 0, ?)",
            (secrets.token_urlsafe(18), body["request_id"], body["name"], body["document_type"],
             body["document_number"], body["grade"], body["purpose"], body["return_url"],
             secrets.token_urlsafe(24), time.time() + LASTS_SECONDS),
        )  # fmt: skip
    row = world().store.one("SELECT * FROM network_check WHERE request_id = ?", body["request_id"])
    assert row is not None  # noqa: S101  # inserted above
    return signed.answer(
        NAME,
        200,
        request_id=row["request_id"],
        challenge=row["challenge"],
        url=f"{request.host_url.rstrip('/')}/network-identity/app/{row['challenge']}",
        expires_at=beijing(row["expires_at"]).replace(" ", "T") + "+08:00",
    )


@blueprint.post("/v1/results")
def result() -> ResponseReturnValue:
    """What a check came to: with the app's token, or with none once it was fetched (a review is asked about again)."""
    refused = signed.refusal(NAME)
    if refused is not None:
        return refused
    body = signed.texts("challenge", "token", empty=("token",))
    if body is None:
        return signed.answer(NAME, 400, error="fields")
    row = world().store.one("SELECT * FROM network_check WHERE challenge = ?", body["challenge"])
    if row is None or (row["result"] == "OPEN" and row["expires_at"] < time.time()):
        return signed.answer(NAME, 404, error="unknown")
    genuine = secrets.compare_digest(body["token"].encode(), row["token"].encode())
    asked_again = not body["token"] and row["fetched_at"]
    if row["result"] != "OPEN" and not genuine and not asked_again:
        return signed.answer(NAME, 403, error="token")
    if row["result"] != "OPEN":
        with world().store.transaction() as db:
            db.execute("UPDATE network_check SET fetched_at = ? WHERE challenge = ?", (time.time(), row["challenge"]))
    fields = {"challenge": row["challenge"], "result": row["result"], "grade": row["grade"], "purpose": row["purpose"]}
    person = world().people.by_document(row["document_type"], row["document_number"])
    if row["result"] == "PASS" and person is not None and person.valid_until:
        fields["valid_until"] = person.valid_until
    return signed.answer(NAME, 200, **fields)


def _outcome(row: sqlite3.Row, person: Persona) -> str:
    """What the service finds when `person` makes the check: another than was asked about is a mismatch."""
    said, _ = identity_authority.check(row["name"], row["document_type"], row["document_number"])
    if (person.document_type, person.document_number) != (row["document_type"], row["document_number"]):
        return "MISMATCH"
    return {"MATCH": "PASS", "REVIEW": "REVIEW", "EXPIRED": "CERTIFICATE_EXPIRED"}.get(said, "MISMATCH")


def _act(row: sqlite3.Row, person: Persona, act: str, pin: str) -> None:
    """The person acts in the app: confirm (a certificate with PIN asks for it, three tries) or refuse."""
    tries, found = row["tries"], "OPEN"
    if act == "refuse":
        found = "REFUSED"
    elif row["grade"] == "PIN" and pin != PIN:
        tries += 1
        found = "PIN_WRONG" if tries >= PIN_TRIES else "OPEN"
    else:
        found = _outcome(row, person)
    with world().store.transaction() as db:
        db.execute(
            "UPDATE network_check SET result = ?, tries = ? WHERE challenge = ? AND result = 'OPEN'",
            (found, tries, row["challenge"]),
        )


def _find(challenge: str) -> sqlite3.Row | None:
    return world().store.one("SELECT * FROM network_check WHERE challenge = ?", challenge)


def _back(row: sqlite3.Row) -> str:
    """The product's address with the app's token, once the check is over."""
    parts = urlsplit(row["return_url"])
    query = [*parse_qsl(parts.query, keep_blank_values=True), ("token", row["token"])]
    return str(urlunsplit(parts._replace(query=urlencode(query))))


@blueprint.get("/app/<challenge>")
def show(challenge: str) -> ResponseReturnValue:
    """Show what the check is for, with the buttons to confirm and to refuse."""
    row = _find(challenge)
    if row is None:
        abort(404)
    return render_template(
        "network_identity.html",
        check=row,
        people=world().people.all,
        asked=world().people.by_document(row["document_type"], row["document_number"]),
        over=row["expires_at"] < time.time(),
        back=_back(row) if row["result"] != "OPEN" else "",
    )


@blueprint.post("/app/<challenge>")
def act(challenge: str) -> ResponseReturnValue:
    """Confirm or refuse, then send the browser back to the product."""
    row = _find(challenge)
    if row is None:
        abort(404)
    if row["result"] == "OPEN" and row["expires_at"] >= time.time():
        person = world().people.get(request.form.get("persona", ""))
        _act(row, person, request.form.get("act", ""), request.form.get("pin", ""))
        row = _find(challenge)
    if row is not None and row["result"] != "OPEN":
        return redirect(_back(row))
    return show(challenge)


@control.post("/act")
def act_in_app() -> ResponseReturnValue:
    """Act as a person in the app: `{challenge, persona, act: confirm | refuse, pin?}` → `{result, token}`."""
    body = control_body()
    row = _find(str(need(body, "challenge")))
    if row is None:
        raise BadControl("no such challenge")
    if row["result"] == "OPEN":
        _act(row, world().people.get(need(body, "persona")), str(body.get("act", "confirm")), str(body.get("pin", "")))
    after = _find(row["challenge"])
    assert after is not None  # noqa: S101  # nothing deletes one
    return {"result": after["result"], "token": after["token"]}


@control.post("/decide")
def decide() -> ResponseReturnValue:
    """Decide a check that the service's people look at: `{challenge, result: PASS | MISMATCH}`."""
    body = control_body()
    verdict = str(need(body, "result"))
    if verdict not in ("PASS", "MISMATCH"):
        raise BadControl("result must be PASS or MISMATCH")
    with world().store.transaction() as db:
        decided = db.execute(
            "UPDATE network_check SET result = ? WHERE challenge = ? AND result = 'REVIEW'",
            (verdict, str(need(body, "challenge"))),
        )
    if decided.rowcount != 1:
        raise BadControl("no check with this challenge is in review")
    return {}
