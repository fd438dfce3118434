"""At the counter: who somebody is, another phone, a new document; conflicts; letting frozen accounts go on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.accounts import service as accounts
from auth.accounts.freezing import queries as freezes
from auth.accounts.freezing import service as freezing
from auth.accounts.models import SubjectFreeze
from auth.factors import service as factors
from auth.factors.rules import at_counter
from auth.identity import service
from auth.identity.conflicts import queries as conflicts
from auth.identity.conflicts import service as deciding
from auth.identity.conflicts.queries import Open
from auth.identity.conflicts.rules import ConflictState
from auth.identity.rules import Purpose
from auth.rebinding import service as rebinding
from auth.staff.confirmations.rules import Act
from auth.staff.roles import FRONT_CLERK, SECURITY_ADMIN, SUPERVISOR
from core import clock
from core.db import transaction
from core.identifiers import DocumentNumber, DocumentType, normalise_document
from core.web import access
from core.web.blueprint import Blueprint
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Code, Moment, Text

blp = Blueprint("staff_identity", __name__, url_prefix="/staff/v1/identity", description="身份核验 / Identity (staff)")


class CounterCardIn(ma.Schema):
    """The document in the clerk's hand."""

    name = Text(200, required=True)
    document_type = Code(DocumentType, required=True)
    document_number = Text(60, required=True)


class CounterCheckIn(CounterCardIn):
    """With `purpose`, a fresh proof for that one act as well (level 4)."""

    purpose = Code(Purpose, load_default=None)


class CounterPhoneCodeIn(ma.Schema):
    """The phone that the person holds."""

    phone = Text(40, required=True)


class CounterPhoneIn(CounterCardIn):
    """The new phone of a person at the counter, and the code it got."""

    phone = Text(40, required=True)
    code = ma.fields.String(required=True, validate=ma.validate.Regexp(r"\A[0-9]{6}\Z"))


class CounterDocumentIn(CounterCardIn):
    """The new document, and the number of the old one of the same or another kind."""

    old_document_type = Code(DocumentType, required=True)
    old_document_number = Text(60, required=True)


class ConflictDecisionIn(ma.Schema):
    """What the clerk found, with the claimant and the document at the counter."""

    document_type = Code(DocumentType, required=True)
    document_number = Text(60, required=True)
    verdict = ma.fields.Enum(ConflictState, by_value=True, required=True)
    reason = Text(500, required=True, lines=True)

    @ma.validates("verdict")
    def _decided(self, value: ConflictState, **_: Any) -> None:
        if value is ConflictState.OPEN:
            raise ma.ValidationError("须作出决定 / not a decision")


class ConflictOut(ma.Schema):
    """A conflict that waits for a clerk; masked."""

    id = ma.fields.UUID(required=True)
    opened_at = Moment(required=True)
    name = ma.fields.String(required=True)
    document_label = ma.fields.String(required=True)
    document_number = ma.fields.String(required=True)


class LiftIn(ma.Schema):
    """Why the account may go on."""

    reason = Text(500, required=True, lines=True)


class FreezeOut(ma.Schema):
    """A freeze that stands. It names nobody."""

    id = ma.fields.UUID(required=True)
    subject_id = ma.fields.UUID(required=True)
    reason = ma.fields.String(required=True)
    frozen_at = Moment(required=True)
    frozen_by = ma.fields.String(required=True)
    lift_reason = ma.fields.String(required=True)
    lift_proposed_at = Moment(required=True, allow_none=True)


def _card(data: dict[str, Any], prefix: str = "") -> DocumentNumber:
    kind, number = data.pop(f"{prefix}document_type"), data.pop(f"{prefix}document_number")
    return normalise_document(kind, number, field=f"{prefix}document_number", today=clock.today())


@blp.post("/check")
@access.staff(FRONT_CLERK)
@blp.arguments(CounterCheckIn)
@blp.response(204)
def check(data: dict[str, Any]) -> None:
    """Record that I compared the person with the document."""
    actor, document = access.staff_actor(), _card(data)
    with transaction() as session:
        person = accounts.open_for_walk_in(session, actor=actor, name=data["name"], document=document)
        service.record_counter_check(
            session, actor=actor, subject_id=person, document=document, purpose=data["purpose"]
        )


@blp.post("/phone-code")
@access.staff(FRONT_CLERK)
@blp.arguments(CounterPhoneCodeIn)
@blp.response(202)
def send_code(data: dict[str, Any]) -> None:
    """Send a code to the phone that the person at the counter holds."""
    with transaction() as session:
        factors.send_code(session, phone=data["phone"], use=at_counter(access.staff_actor().session_id))


@blp.post("/phone")
@access.staff(FRONT_CLERK)
@blp.arguments(CounterPhoneIn)
@blp.response(204)
def change_phone(data: dict[str, Any]) -> None:
    """Give a person who lost the phone another one."""
    actor, document = access.staff_actor(), _card(data)
    proven = factors.check_code(phone=data["phone"], code=data.pop("code"), use=at_counter(actor.session_id))
    with transaction() as session:
        rebinding.change_phone_at_counter(session, actor=actor, document=document, proven=proven, **data)


@blp.post("/document")
@access.staff(FRONT_CLERK)
@blp.arguments(CounterDocumentIn)
@blp.response(204)
def replace_document(data: dict[str, Any]) -> None:
    """Record that a person has a new document in place of the old one."""
    actor, new, old = access.staff_actor(), _card(data), _card(data, "old_")
    with transaction() as session:
        rebinding.replace_document_at_counter(session, actor=actor, name=data["name"], old=old, new=new)


@blp.get("/conflicts")
@access.staff(FRONT_CLERK)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(ConflictOut))
def list_conflicts(args: dict[str, Any]) -> Page[Open]:
    """List the numbers that two people claim."""
    with transaction() as session:
        return conflicts.open_conflicts(session, args)


@blp.post("/conflicts/<uuid:conflict_id>/decide")
@access.staff(FRONT_CLERK, confirm=Act.IDENTITY)
@blp.arguments(ConflictDecisionIn)
@blp.response(204)
def decide(data: dict[str, Any], conflict_id: UUID) -> None:
    """Decide whose a number is."""
    document = _card(data)
    with transaction() as session:
        deciding.decide(session, actor=access.staff_actor(), conflict_id=conflict_id, document=document, **data)


@blp.get("/freezes")
@access.staff(SECURITY_ADMIN, SUPERVISOR)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(FreezeOut))
def list_freezes(args: dict[str, Any]) -> Page[SubjectFreeze]:
    """List the frozen accounts."""
    with transaction() as session:
        return freezes.standing_freezes(session, args)


@blp.post("/freezes/<uuid:freeze_id>/propose-lift")
@access.staff(SECURITY_ADMIN)
@blp.arguments(LiftIn)
@blp.response(200, FreezeOut)
def propose_lift(data: dict[str, Any], freeze_id: UUID) -> SubjectFreeze:
    """Propose that a frozen account go on."""
    with transaction() as session:
        return freezing.propose_lift(session, actor=access.staff_actor(), freeze_id=freeze_id, **data)


@blp.post("/freezes/<uuid:freeze_id>/lift")
@access.staff(SUPERVISOR, confirm=Act.IDENTITY)
@blp.response(200, FreezeOut)
def lift(freeze_id: UUID) -> SubjectFreeze:
    """Agree that a frozen account go on."""
    with transaction() as session:
        return freezing.lift(session, actor=access.staff_actor(), freeze_id=freeze_id)
