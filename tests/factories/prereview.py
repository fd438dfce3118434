"""Pre-reviews in every state, made by the acts that lead there."""

from __future__ import annotations

import io
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from casework.files import service as files
from casework.files.models import StoredFile
from casework.prereview import service
from casework.prereview.models import PreReview
from casework.prereview.review import service as review
from casework.prereview.rules import Provision, Reason, Verdict
from core.actors import Citizen, Staff
from tests.factories import papers
from tests.factories.catalogue import CITY_HALL

# 存量房买卖转移登记: one material to upload (1), four that licences replace (2, 3, 4, 7), three by situation (5, 6, 8).
ITEM = "NB-002"
NO_SPECIALS = dict.fromkeys(("tax_relief", "marriage_proof", "agent", "non_residential", "separate_certificates"), "no")


def upload(session: Session, actor: Citizen, content: bytes | None = None) -> StoredFile:
    """A stored file of `actor`: a PDF of two pages unless told otherwise."""
    return files.upload(session, actor=actor, stream=io.BytesIO(content or papers.pdf()), filename="材料.pdf")


def draft(
    session: Session,
    actor: Citizen,
    *,
    item_id: str = ITEM,
    answers: Mapping[str, str] = NO_SPECIALS,
    hall_id: UUID | None = CITY_HALL,
) -> PreReview:
    """A draft with nothing provided yet."""
    return service.start(session, actor=actor, item_id=item_id, answers=answers, hall_id=hall_id)


def provide(session: Session, actor: Citizen, prereview: PreReview, no: int, *contents: bytes) -> PreReview:
    """Upload a material."""
    stored = [upload(session, actor, content).id for content in contents or (papers.pdf(),)]
    return service.set_material(
        session, actor=actor, prereview_id=prereview.id, no=no, provision=Provision.UPLOAD, file_ids=stored
    )


def submitted(
    session: Session,
    actor: Citizen,
    *,
    item_id: str = ITEM,
    answers: Mapping[str, str] = NO_SPECIALS,
    hall_id: UUID | None = CITY_HALL,
) -> PreReview:
    """One that waits in the queue, every needed material that no licence replaces uploaded."""
    made = draft(session, actor, item_id=item_id, answers=answers, hall_id=hall_id)
    for material in made.listed:
        if material.needed and not material.waivable:
            provide(session, actor, made, material.no)
    return service.submit(session, actor=actor, prereview_id=made.id)


def claimed(session: Session, actor: Citizen, clerk: Staff, *, answers: Mapping[str, str] = NO_SPECIALS) -> PreReview:
    """One that `clerk` works on."""
    return review.claim(session, actor=clerk, prereview_id=submitted(session, actor, answers=answers).id)


def judge(session: Session, clerk: Staff, prereview: PreReview, defects: Mapping[int, Reason] | None = None) -> None:
    """A verdict on every material: those in `defects` are 不合格, licences are found, the rest is in order."""
    for material in prereview.listed:
        reason = (defects or {}).get(material.no)
        good = Verdict.WAIVED if material.provision == Provision.LICENCE else Verdict.QUALIFIED
        review.give_verdict(
            session,
            actor=clerk,
            prereview_id=prereview.id,
            no=material.no,
            verdict=Verdict.DEFECTIVE if reason else good,
            reason_code=reason,
        )


def needs_change(session: Session, actor: Citizen, clerk: Staff, defects: Mapping[int, Reason]) -> PreReview:
    """One that was sent back with these defects."""
    made = claimed(session, actor, clerk)
    judge(session, clerk, made, defects)
    return review.conclude(session, actor=clerk, prereview_id=made.id)


def passed(session: Session, actor: Citizen, clerk: Staff, *, answers: Mapping[str, str] = NO_SPECIALS) -> PreReview:
    """One that passed."""
    made = claimed(session, actor, clerk, answers=answers)
    judge(session, clerk, made)
    return review.conclude(session, actor=clerk, prereview_id=made.id)
