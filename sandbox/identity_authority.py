"""The population source: whether a name and a document number belong together, and what happened to people since.

There is no public wire format, so this contract is the project's own; README.md states it.
"""

from __future__ import annotations

import time
import uuid

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from sandbox import signed
from sandbox.personas import Persona
from sandbox.world import BadControl, beijing, control_body, need, world

blueprint = Blueprint("identity_authority", __name__, url_prefix="/identity-authority/v1")
control = Blueprint("identity_authority_control", __name__, url_prefix="/_sandbox/identity-authority")

NAME = "identity-authority"
# Numbers of this unassigned district belong to a crowd for load tests: any name that starts with 市民 matches.
CROWD_DISTRICT = "330298"
CROWD_NAME = "市民"
OUTCOMES = ("MATCH", "MISMATCH", "NOT_FOUND", "REVIEW", "EXPIRED", "DECEASED", "CANCELLED")
SIGNALS = ("DEATH", "INCAPACITY", "CANCELLED", "FRAUD")
_FIELDS = ("request_id", "name", "document_type", "document_number", "purpose")
_MOST = 500


def business_error(value: object) -> Response:
    """An answer of HTTP 200 whose result is `value`, whoever was asked about."""
    body = request.get_json(silent=True) or {}
    return signed.answer(NAME, 200, request_id=body.get("request_id"), result=str(value), checked_at=now_text())


def now_text() -> str:
    """Now as the partners of this kind write it."""
    return beijing(time.time()).replace(" ", "T") + "+08:00"


def outcome_of(person: Persona) -> str:
    """What the source says of a person: as in personas.json, or as a test or a person decided since."""
    row = world().store.one("SELECT outcome FROM persona_outcome WHERE persona = ?", person.key)
    return str(row["outcome"]) if row else person.outcome


@blueprint.post("/verify")
def verify() -> ResponseReturnValue:
    """Check one name against one document number."""
    refused = signed.refusal(NAME)
    if refused is not None:
        return refused
    body = signed.texts(*_FIELDS)
    if body is None:
        return signed.answer(NAME, 400, error="fields")
    result, valid_until = check(body["name"], body["document_type"], body["document_number"])
    fields = {"request_id": body["request_id"], "result": result, "checked_at": now_text()}
    if valid_until:
        fields["valid_until"] = valid_until
    return signed.answer(NAME, 200, **fields)


def check(name: str, document_type: str, number: str) -> tuple[str, str | None]:
    """The result for this name and document, and until when the document is valid."""
    person = world().people.by_document(document_type, number)
    if person is None:
        if number.startswith(CROWD_DISTRICT):
            return ("MATCH" if name.startswith(CROWD_NAME) else "MISMATCH"), None
        return "NOT_FOUND", None
    outcome = outcome_of(person)
    if outcome in ("MATCH", "EXPIRED") and name != person.name:
        return "MISMATCH", None
    return outcome, person.valid_until if outcome in ("MATCH", "EXPIRED") else None


@blueprint.post("/signals")
def signals() -> ResponseReturnValue:
    """List what happened to people after `since` ("": from the beginning), oldest first, at most `limit`."""
    refused = signed.refusal(NAME)
    if refused is not None:
        return refused
    body = request.get_json(silent=True)
    since = body.get("since") if isinstance(body, dict) else None
    limit = body.get("limit") if isinstance(body, dict) else None
    if not isinstance(since, str) or not (since == "" or since.isdecimal()) or not isinstance(limit, int):
        return signed.answer(NAME, 400, error="fields")
    wanted = max(1, min(limit, _MOST))
    rows = world().store.all(
        "SELECT * FROM identity_signal WHERE id > ? ORDER BY id LIMIT ?", int(since or 0), wanted + 1
    )
    shown = rows[:wanted]
    entries = [
        {"signal_id": row["signal_id"], "kind": row["kind"], "document_type": row["document_type"],
         "document_number": row["document_number"], "at": row["at"]}
        for row in shown
    ]  # fmt: skip
    cursor = str(shown[-1]["id"]) if shown else since
    return signed.answer(NAME, 200, signals=entries, cursor=cursor, more=len(rows) > wanted)


@control.post("/signal")
def raise_signal() -> ResponseReturnValue:
    """Raise a signal: `{persona | document_type + document_number, kind, signal_id?}`; a given id may come twice."""
    body = control_body()
    kind = str(need(body, "kind"))
    if kind not in SIGNALS:
        raise BadControl(f"kind must be one of {', '.join(SIGNALS)}")
    if "persona" in body:
        person = world().people.get(body["persona"])
        document = (person.document_type, person.document_number)
    else:
        document = (str(need(body, "document_type")), str(need(body, "document_number")))
    signal_id = str(body.get("signal_id") or f"SIG{uuid.uuid4().hex}")
    with world().store.transaction() as db:
        db.execute(
            "INSERT INTO identity_signal (signal_id, kind, document_type, document_number, at) VALUES (?, ?, ?, ?, ?)",
            (signal_id, kind, *document, now_text()),
        )
    return {"signal_id": signal_id}


@control.post("/outcome")
def decide() -> ResponseReturnValue:
    """Let the source say something else of a person from now on: `{persona, outcome}`."""
    body = control_body()
    person = world().people.get(need(body, "persona"))
    outcome = str(need(body, "outcome"))
    if outcome not in OUTCOMES:
        raise BadControl(f"outcome must be one of {', '.join(OUTCOMES)}")
    with world().store.transaction() as db:
        db.execute("INSERT OR REPLACE INTO persona_outcome VALUES (?, ?)", (person.key, outcome))
    return {}
