"""Acts at the counter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.identity import service as identity
from casework.acting import service as acting
from casework.cases import queries as case_queries
from casework.cases import rules as case_rules
from casework.cases import service as cases
from casework.cases.queries import Case
from casework.catalogue import queries as catalogue
from casework.catalogue import rules as catalogue_rules
from casework.catalogue.rules import Item
from casework.fees import service as fees
from casework.prereview import queries as prereviews
from casework.prereview import service as prereview_service
from casework.prereview.queries import PassedPreReview
from core import clock, ids
from core.actors import Staff
from core.errors import NotFound, StateConflict
from core.identifiers import DocumentNumber
from payments.bills import service as bills
from payments.bills.queries import Bill

PREREVIEW = "prereview"


@dataclass(frozen=True, slots=True)
class Difference:
    """An original that differs from its upload (PR-11): recorded, and not called 补正."""

    material_no: int
    note: str


def accept_prereview(
    session: Session,
    *,
    actor: Staff,
    prereview_id: UUID,
    document: DocumentNumber,
    differences: Sequence[Difference] = (),
    accept: bool = True,
) -> Case:
    """Turn a passed pre-review of the clerk's hall into an accepted case in one action (PR-11).

    `document` is the card the clerk holds: the applicant's, or that of somebody who may file for the applicant now
    (DG-1); it is level-3 evidence of its holder from now on (3.7). What was prepaid moves to the case. Without `accept`
    the case is received only, and accepted or refused later. Raises `NotFound` (another hall's too), `StateConflict` (used
    before), and what the identity check refuses.
    """
    passed = _passed_here(session, actor, prereview_id)
    # Taking the pre-review locks it: of two clerks at once, the second finds it used.
    case_id = ids.uuid7()
    prereview_service.mark_used(session, actor=actor, prereview_id=prereview_id, case_id=case_id)
    item = catalogue.item_version(session, passed.version_id)
    _check_card(session, actor, passed, item, document)
    case = cases.receive(
        session,
        actor=actor,
        owner_id=passed.owner_id,
        acting_id=passed.acting_id,
        item=item,
        document=document,
        answers=passed.answers,
        prereview_id=prereview_id,
        case_id=case_id,
        note="；".join(f"材料{found.material_no}：{found.note}" for found in differences),
    )
    bills.attach(session, actor=actor, from_matter=(PREREVIEW, prereview_id), to_matter=(case_rules.MATTER, case.id))
    return _begin(session, actor, case, accept=accept)


def _check_card(session: Session, actor: Staff, passed: PassedPreReview, item: Item, document: DocumentNumber) -> None:
    person_id = people.find_by_document(session, document)
    holder = passed.owner_id
    if person_id is not None and person_id != holder:
        handing_in = acting.may_hand_in(session, owner_id=holder, person_id=person_id, item=item)
        holder = person_id if handing_in else holder
    identity.record_counter_check(session, actor=actor, subject_id=holder, document=document)


def accept_walk_in(
    session: Session,
    *,
    actor: Staff,
    name: str,
    document: DocumentNumber,
    phone: str | None,
    item_id: str,
    answers: Mapping[str, str],
    accept: bool = True,
) -> Case:
    """Receive and accept the papers of a person who came without an account (AP-20); the same case shows later if they sign in.

    Without `accept` the case is received only. Raises `ItemNotInForce`, `InvalidInput` (answers), and what the identity
    check refuses.
    """
    owner_id = accounts.open_for_walk_in(session, actor=actor, name=name, document=document, phone=phone)
    identity.record_counter_check(session, actor=actor, subject_id=owner_id, document=document)
    item = catalogue.item_in_force(session, item_id, clock.today())
    catalogue_rules.materials_for(item, dict(answers))
    case = cases.receive(
        session, actor=actor, owner_id=owner_id, acting_id=owner_id, item=item, document=document, answers=answers
    )
    return _begin(session, actor, case, accept=accept)


def _begin(session: Session, actor: Staff, case: Case, *, accept: bool) -> Case:
    begin = cases.accept if accept else cases.acknowledge
    return begin(session, actor=actor, case_id=case.id)


def not_accept(
    session: Session, *, actor: Staff, case_id: UUID, reason: str, clause: str, visible_in_upload: bool
) -> Case:
    """Refuse acceptance in writing (C-3). A reason that was visible in a pre-reviewed upload is a service failure (PR-12).

    Raises `ReasonMissing`, `StateConflict`, `NotFound`.
    """
    case = cases.not_accept(session, actor=actor, case_id=case_id, reason=reason, clause=clause)
    if visible_in_upload and case.prereview_id is not None:
        prereview_service.record_counter_refusal(session, actor=actor, prereview_id=case.prereview_id, reason=reason)
    return case


def bill_prereview(session: Session, *, actor: Staff, prereview_id: UUID, quantities: Mapping[int, int]) -> list[Bill]:
    """Bill a passed pre-review of the clerk's hall, so that the fee can be prepaid until it ends (S17, PY-1, PY-6)."""
    passed = _passed_here(session, actor, prereview_id)
    item = catalogue.item_version(session, passed.version_id)
    return fees.issue(
        session,
        actor=actor,
        payer_id=passed.owner_id,
        item=item,
        answers=passed.answers,
        quantities=quantities,
        matter=(PREREVIEW, prereview_id),
        expires_at=passed.expires_at,
    )


def bill_case(session: Session, *, actor: Staff, case_id: UUID, quantities: Mapping[int, int]) -> list[Bill]:
    """Bill an accepted case of the clerk's hall (PY-1). Raises `StateConflict` before acceptance and after a refusal."""
    case = case_queries.for_staff(session, case_id, actor, acting=case_queries.AT_THE_COUNTER)
    if not case_rules.is_billable(case_rules.State(case.state), case.refusal_reason):
        raise StateConflict()
    item = catalogue.item_version(session, case.version_id)
    return fees.issue(
        session,
        actor=actor,
        payer_id=case.owner_id,
        item=item,
        answers=case.answers,
        quantities=quantities,
        matter=(case_rules.MATTER, case.id),
    )


def _passed_here(session: Session, actor: Staff, prereview_id: UUID) -> PassedPreReview:
    """A pre-review that passed and still counts, if it is of the clerk's hall: another's is as good as missing."""
    passed = prereviews.passed(session, prereview_id, clock.now())
    if passed.hall_id != actor.hall_id:
        raise NotFound()
    return passed
