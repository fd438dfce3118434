"""Two people, one number; changed names; documents that change (PEERS 4.2, DG-7)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from auth.accounts import queries as people
from auth.accounts.documents import service as documents
from auth.accounts.errors import DocumentDiffers
from auth.accounts.models import SubjectDocument, SubjectName
from auth.accounts.rules import SubjectState
from auth.identity import service
from auth.identity.conflicts import service as conflicts
from auth.identity.conflicts.models import IdentityConflict
from auth.identity.conflicts.rules import TRANSITIONS, ConflictState
from auth.identity.errors import IdentityInConflict
from core.actors import Citizen
from core.db import transaction
from core.errors import NotFound, StateConflict
from core.identifiers import DocumentNumber, DocumentType, normalise_document
from tests.factories import auth as make
from tests.factories.identity import CLERK, answer, evidence, level_of, prove, subject_of

pytestmark = pytest.mark.usefixtures("database")


def claim(citizen: Callable[..., Any], card: DocumentNumber, name: str) -> tuple[Citizen, UUID]:
    """Somebody proves a document that another person has proven under another name."""
    actor, _ = citizen(level=1)
    with pytest.raises(IdentityInConflict):
        prove(actor, answer(card, name=name)).insist()
    with transaction() as session:
        found = session.scalars(select(IdentityConflict).where(IdentityConflict.claimant_id == actor.subject_id)).one()
        return actor, found.id


def decide(conflict_id: UUID, card: DocumentNumber, verdict: ConflictState) -> None:
    with transaction() as session:
        conflicts.decide(
            session, actor=CLERK, conflict_id=conflict_id, document=card, verdict=verdict, reason="已核对户籍档案"
        )


def test_two_names_for_one_number_are_never_merged(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    holder, _ = citizen(level=3, document=card, name="王伟")
    claimant, _ = claim(citizen, card, "李强")
    assert (level_of(holder), level_of(claimant)) == (3, 1)
    assert subject_of(claimant) != holder.subject_id
    with transaction() as session:
        assert people.person(session, holder.subject_id).name == "王伟"
        assert people.document(session, claimant.subject_id) is None
    assert evidence(claimant.subject_id) == []


def test_a_name_that_is_only_written_differently_is_the_same(citizen: Callable[..., Any]) -> None:
    """Dots, spaces, case and marks make no second person."""
    card = make.resident_id()
    holder, _ = citizen(level=2, document=card, name="古丽娜尔·买买提")
    again, _ = citizen(level=1)
    prove(again, answer(card, name="古丽娜尔买买提")).insist()
    assert subject_of(again) == holder.subject_id


def test_asking_again_opens_no_second_conflict(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    citizen(level=2, document=card, name="王伟")
    claimant, conflict_id = claim(citizen, card, "李强")
    with pytest.raises(IdentityInConflict):
        prove(claimant, answer(card, name="李强")).insist()
    with transaction() as session:
        assert session.scalars(select(IdentityConflict.id)).all() == [conflict_id]


def test_the_same_person_under_a_new_name(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    holder, _ = citizen(level=2, document=card, name="王芳")
    claimant, conflict_id = claim(citizen, card, "李芳")
    decide(conflict_id, card, ConflictState.SAME_PERSON)
    assert subject_of(claimant) == holder.subject_id
    assert (level_of(claimant), level_of(holder)) == (3, 3), "the clerk has seen the card"
    with transaction() as session:
        assert people.person(session, holder.subject_id).name == "李芳"
        assert session.scalars(select(SubjectName.name)).all() == ["王芳"]
        assert people.standing(session, claimant.subject_id).state is SubjectState.MERGED
        found = session.get_one(IdentityConflict, conflict_id)
        assert (found.name, found.document_number, found.reason) == (None, None, "已核对户籍档案")


def test_two_people_keep_the_number_each(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    holder, _ = citizen(level=2, document=card, name="王伟")
    claimant, conflict_id = claim(citizen, card, "李强")
    decide(conflict_id, card, ConflictState.TWO_PEOPLE)
    assert (level_of(claimant), level_of(holder)) == (3, 2)
    with transaction() as session:
        assert people.find_by_document(session, card) == holder.subject_id
        for actor, name in ((holder, "王伟"), (claimant, "李强")):
            found = people.person(session, actor.subject_id)
            assert (found.name, found.document_number) == (name, card.number)
    # The third with that number is the third, and the second goes on proving it.
    assert prove(claimant, answer(card, name="李强")).insist().level == 3
    _, third = claim(citizen, card, "赵敏")
    decide(third, card, ConflictState.TWO_PEOPLE)
    with transaction() as session:
        twins = session.scalars(select(SubjectDocument.twin).order_by(SubjectDocument.twin)).all()
        assert twins == [0, 1, 2]


def test_a_claim_can_be_refused(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    holder, _ = citizen(level=2, document=card, name="王伟")
    claimant, conflict_id = claim(citizen, card, "李强")
    decide(conflict_id, card, ConflictState.REFUSED)
    assert (level_of(claimant), level_of(holder)) == (1, 2)
    with pytest.raises(StateConflict):
        decide(conflict_id, card, ConflictState.SAME_PERSON)


def test_what_a_clerk_cannot_decide(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    citizen(level=2, document=card, name="王伟")
    claimant, conflict_id = claim(citizen, card, "李强")
    with pytest.raises(StateConflict):
        decide(conflict_id, make.resident_id(), ConflictState.SAME_PERSON)
    with pytest.raises(StateConflict):
        decide(conflict_id, card, ConflictState.OPEN)
    with pytest.raises(NotFound):
        decide(claimant.subject_id, card, ConflictState.REFUSED)
    prove(claimant, answer(make.resident_id(), name="李强")).insist()
    with pytest.raises(StateConflict):
        decide(conflict_id, card, ConflictState.SAME_PERSON)


@pytest.mark.parametrize("before", ConflictState)
@pytest.mark.parametrize("after", ConflictState)
def test_only_an_open_conflict_is_decided(before: ConflictState, after: ConflictState) -> None:
    assert (after in TRANSITIONS[before]) == (before is ConflictState.OPEN and after is not ConflictState.OPEN)


# Names and documents over time --------------------------------------------------------------------------------------------


def test_the_names_of_before_are_kept(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=2, document=card, name="王小明")
    for name in ("王大明", "王大明", "王中明"):
        prove(actor, answer(card, name=name)).insist()
    with transaction() as session:
        assert people.person(session, actor.subject_id).name == "王中明"
        assert session.scalars(select(SubjectName.name).order_by(SubjectName.id)).all() == ["王小明", "王大明"]


def passport(number: str) -> DocumentNumber:
    return normalise_document(DocumentType.PASSPORT, number)


def replace(actor: Citizen, old: DocumentNumber, new: DocumentNumber) -> None:
    with transaction() as session:
        documents.replace(session, actor=CLERK, subject_id=actor.subject_id, old=old, new=new, name="MARIA GARCIA")


def test_a_renewed_passport_keeps_its_owner(citizen: Callable[..., Any]) -> None:
    """DG-7: the old number still finds the person, who proves the new one."""
    old, new = passport("AB1234567"), passport("CD7654321")
    actor, _ = citizen(level=3, document=old, name="MARIA GARCIA")
    replace(actor, old, new)
    with transaction() as session:
        assert people.document(session, actor.subject_id) == new
        assert people.find_by_document(session, old) == people.find_by_document(session, new) == actor.subject_id
    assert level_of(actor) == 3
    assert prove(actor, answer(new, name="Maria García")).insist().level == 3
    again, _ = citizen(level=1)
    prove(again, answer(new, name="Maria Garcia")).insist()
    assert subject_of(again) == actor.subject_id
    replace(actor, new, old)
    with transaction() as session:
        assert people.document(session, actor.subject_id) == old
        assert session.scalar(select(func.count()).select_from(SubjectDocument)) == 2


def test_a_replacement_is_refused_where_it_does_not_fit(citizen: Callable[..., Any]) -> None:
    old, other = passport("AB1234567"), passport("EF1111111")
    (actor, _), _ = citizen(level=2, document=old), citizen(level=2, document=other)
    with pytest.raises(DocumentDiffers):
        replace(actor, other, passport("GH2222222"))
    with pytest.raises(DocumentDiffers):
        replace(actor, old, other)
    with transaction() as session:
        assert people.document(session, actor.subject_id) == old
    replace(actor, old, old)


@pytest.mark.parametrize(
    ("kind", "number", "name"),
    [
        (DocumentType.PASSPORT, "E12345678", "Jean-Luc O'Brien"),
        (DocumentType.FOREIGN_PERMANENT_RESIDENT, "932682198501010017", "GARCIA, MARIA"),
        (DocumentType.FOREIGN_PERMANENT_RESIDENT, "USA110123456789", "John Smith"),
        (DocumentType.HK_MACAO_PERMIT, "H12345678", "陳大文"),
        (DocumentType.TAIWAN_PERMIT, "12345678", "林志玲"),
        (DocumentType.HMT_RESIDENCE, "810000199307250154", "陈港生"),
        (DocumentType.MILITARY_OFFICER, "军字第1234567号", "王军"),
        (DocumentType.HOUSEHOLD_REGISTER, "330299123456", "张小宝"),
        (DocumentType.BIRTH_CERTIFICATE, "T330123456", "张新生"),
    ],
)
def test_every_kind_of_document_reaches_level_3_at_the_counter(
    citizen: Callable[..., Any], kind: DocumentType, number: str, name: str
) -> None:
    """ID-10: whatever the source can be asked about, the counter takes all kinds."""
    actor, _ = citizen(level=1)
    card = normalise_document(kind, number)
    with transaction() as session:
        service.record_counter_check(session, actor=CLERK, subject_id=actor.subject_id, document=card, name=name)
    assert level_of(actor) == 3
    with transaction() as session:
        assert people.document(session, actor.subject_id) == card
