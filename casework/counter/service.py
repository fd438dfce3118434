"""Acts at the counter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from auth.accounts import service as accounts
from auth.identity import service as identity
from casework.cases import service as cases
from casework.cases.queries import Case
from casework.catalogue import queries as catalogue
from casework.catalogue import rules as catalogue_rules
from casework.fees import service as fees
from casework.prereview import queries as prereviews
from casework.prereview import service as prereview_service
from core import clock
from core.actors import Staff
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
) -> Case:
    """Turn a passed pre-review into an accepted case in one action (PR-11).

    `document` is the card the clerk holds: it must be the applicant's, and is level-3 evidence from now on (3.7). What was
    prepaid moves to the case. Raises `NotFound`, `StateConflict` (used before), and what the identity check refuses.
    """
    passed = prereviews.passed(session, prereview_id, clock.now())
    identity.record_counter_check(session, actor=actor, subject_id=passed.owner_id, document=document)
    case = cases.receive(
        session,
        actor=actor,
        owner_id=passed.owner_id,
        acting_id=passed.acting_id,
        item=catalogue.item_version(session, passed.version_id),
        document=document,
        answers=passed.answers,
        prereview_id=prereview_id,
        note="；".join(f"材料{found.material_no}：{found.note}" for found in differences),
    )
    prereview_service.mark_used(session, actor=actor, prereview_id=prereview_id, case_id=case.id)
    bills.attach(session, actor=actor, from_matter=(PREREVIEW, prereview_id), to_matter=(cases.MATTER, case.id))
    return cases.accept(session, actor=actor, case_id=case.id)


def accept_walk_in(
    session: Session,
    *,
    actor: Staff,
    name: str,
    document: DocumentNumber,
    phone: str | None,
    item_id: str,
    answers: Mapping[str, str],
) -> Case:
    """Receive and accept the papers of a person who came without an account (AP-20); the same case shows later if they sign in.

    Raises `ItemNotInForce`, and what the identity check refuses.
    """
    owner_id = accounts.open_for_walk_in(session, actor=actor, name=name, document=document, phone=phone)
    identity.record_counter_check(session, actor=actor, subject_id=owner_id, document=document)
    item = catalogue.item_in_force(session, item_id, clock.today())
    catalogue_rules.materials_for(item, dict(answers))
    case = cases.receive(
        session, actor=actor, owner_id=owner_id, acting_id=owner_id, item=item, document=document, answers=answers
    )
    return cases.accept(session, actor=actor, case_id=case.id)


def bill_prereview(session: Session, *, actor: Staff, prereview_id: UUID, quantities: Mapping[int, int]) -> list[Bill]:
    """Bill a passed pre-review, so that the fee can be prepaid (S17, PY-1)."""
    passed = prereviews.passed(session, prereview_id, clock.now())
    item = catalogue.item_version(session, passed.version_id)
    return fees.issue(
        session,
        actor=actor,
        payer_id=passed.owner_id,
        item=item,
        quantities=quantities,
        matter=(PREREVIEW, prereview_id),
    )


def bill_case(session: Session, *, actor: Staff, case_id: UUID, quantities: Mapping[int, int]) -> list[Bill]:
    """Bill an accepted case within the clerk's bounds (PY-1)."""
    from casework.cases import queries

    case = queries.for_staff(session, case_id, actor)
    item = catalogue.item_version(session, case.version_id)
    return fees.issue(
        session, actor=actor, payer_id=case.owner_id, item=item, quantities=quantities, matter=(cases.MATTER, case.id)
    )
