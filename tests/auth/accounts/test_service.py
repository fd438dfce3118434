"""Subjects, documents and bindings on the real database (ID-3, ID-4, ID-12, AP-20)."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from auth.accounts import queries, service
from auth.accounts.errors import AccountFrozen, DocumentDiffers
from auth.accounts.events import AccountChange, AccountChanged, SubjectFrozen, SubjectsMerged
from auth.accounts.models import PhoneBinding, Subject, SubjectDocument
from auth.accounts.ports import WeChatIdentity
from auth.accounts.rules import EndReason, FreezeReason, SubjectState
from core import clock, events
from core.actors import Staff, System
from core.audit import AuditEntry
from core.db import transaction
from core.errors import NotFound, StateConflict
from tests.factories import auth as make

pytestmark = pytest.mark.usefixtures("database")

SOURCE = System("test")
CLERK = Staff(uuid4(), uuid4(), frozenset({"FRONT_CLERK"}), uuid4())
_heard: list[Any] = []


def _hear(_session: object, event: Any) -> None:
    _heard.append(event)


@pytest.fixture
def heard() -> Iterator[list[Any]]:
    for kind in (SubjectsMerged, SubjectFrozen, AccountChanged):
        events.subscribe(kind, _hear)
    _heard.clear()
    yield _heard
    _heard.clear()


def with_phone(phone: str, *, proofs_since: Any = None, subject_id: UUID | None = None) -> UUID:
    with transaction() as session:
        owner = subject_id or service.open_subject(session)
        assert service.bind_phone(session, subject_id=owner, phone_e164=phone, proofs_since=proofs_since)
        return owner


def actions(subject_id: UUID) -> list[str]:
    with transaction() as session:
        return list(
            session.scalars(
                select(AuditEntry.action).where(AuditEntry.object_id == str(subject_id)).order_by(AuditEntry.seq)
            )
        )


def test_a_person_as_proven(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    actor, _ = citizen(name="欧阳·娜娜", document=card, phone="+8619912345678")
    with transaction() as session:
        person = queries.person(session, actor.subject_id)
        assert (person.name, person.document_number, person.phone) == ("欧阳·娜娜", card.number, "+8619912345678")
        assert (person.document_type, person.birth_date) == (card.type, card.birth_date)
        assert queries.find_by_document(session, card) == actor.subject_id
        assert queries.find_by_phone(session, "+8619912345678") == actor.subject_id
        assert queries.document(session, actor.subject_id) == card
    shown = repr(person) + repr(card)
    assert card.number not in shown
    assert "娜" not in shown
    assert "12345678" not in shown


def test_an_unproven_subject_has_no_name(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    with transaction() as session:
        person = queries.person(session, actor.subject_id)
        assert (person.name, person.document_type, person.birth_date) == (None, None, None)
        assert queries.standing(session, actor.subject_id).proven is False


def test_nobody_is_not_found() -> None:
    with transaction() as session:
        for read in (queries.person, queries.contact, queries.standing):
            with pytest.raises(NotFound):
                read(session, uuid4())


def test_personal_values_are_encrypted_at_rest(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    actor, _ = citizen(name="张三", document=card)
    with transaction() as session:
        row = session.execute(
            select(
                SubjectDocument.__table__.c.document_number.cast(_bytes()),
                SubjectDocument.__table__.c.name.cast(_bytes()),
            ).where(SubjectDocument.subject_id == actor.subject_id)
        ).one()
    assert card.number.encode() not in bytes(row[0])
    assert "张三".encode() not in bytes(row[1])


def _bytes() -> Any:
    from sqlalchemy import LargeBinary

    return LargeBinary


def test_one_phone_belongs_to_one_subject() -> None:
    phone = make.phone_number()
    owner = with_phone(phone)
    with transaction() as session:
        other = service.open_subject(session)
        assert service.bind_phone(session, subject_id=other, phone_e164=phone) is None
        holder = service.phone_holder(session, phone)
        assert holder is not None
        assert holder.subject_id == owner


def test_the_database_forbids_two_live_bindings_of_a_phone() -> None:
    """ID-3 without the service."""
    phone = make.phone_number()
    with_phone(phone)
    with pytest.raises(IntegrityError, match="uq_phone_binding_live"), transaction() as session:
        session.add(
            PhoneBinding(
                subject_id=service.open_subject(session),
                phone=phone,
                phone_lookup=queries.phone_lookup(phone),
                bound_at=clock.now(),
                confirmed_at=clock.now(),
            )
        )


@pytest.mark.parametrize("what", ["phone", "wechat"])
def test_ten_first_sign_ins_at_once_make_one_subject(what: str) -> None:
    phone, account = make.phone_number(), WeChatIdentity(make.openid())
    found: list[UUID] = []
    together = threading.Barrier(10)

    def sign_in() -> None:
        together.wait()
        with transaction() as session:
            if what == "phone":
                binding = service.open_with_phone(session, phone_e164=phone, language="zh")
            else:
                binding = service.open_with_wechat(session, identity=account, language="zh")
            found.append(binding.subject_id)

    threads = [threading.Thread(target=sign_in) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 10
    assert len(set(found)) == 1
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Subject)) == 1


# Where messages go ---------------------------------------------------------------------------------------------------


def test_messages_go_to_the_newest_phone_that_is_beyond_doubt() -> None:
    first, second = make.phone_number(), make.phone_number()
    owner = with_phone(first)
    with_phone(second, subject_id=owner)
    with transaction() as session:
        assert queries.contact(session, owner).phone == second


def test_a_phone_that_joined_by_name_and_number_draws_no_messages() -> None:
    """ID-4: knowing somebody's name and number must not be enough to read the messages."""
    first, joined = make.phone_number(), make.phone_number()
    owner = with_phone(first)
    with_phone(joined, subject_id=owner, proofs_since=clock.now())
    with transaction() as session:
        assert queries.contact(session, owner).phone == first
        service.trust_bindings(session, owner)
        assert queries.contact(session, owner).phone == joined


def test_what_was_told_at_the_counter_comes_before_a_phone_in_doubt() -> None:
    told, joined = "+8619800000001", make.phone_number()
    with transaction() as session:
        owner = service.open_for_walk_in(
            session, actor=CLERK, name="李四", document=make.resident_id(), phone="19800000001"
        )
        assert queries.contact(session, owner).phone == told
    with_phone(joined, subject_id=owner, proofs_since=clock.now())
    with transaction() as session:
        assert queries.contact(session, owner).phone == told
        assert queries.person(session, owner).phone == told
        assert queries.find_by_phone(session, told) is None, "a phone that was only told signs nobody in"


def test_language_and_wechat_of_a_contact() -> None:
    account = WeChatIdentity(make.openid(), "union")
    with transaction() as session:
        binding = service.open_with_wechat(session, identity=account, language="en")
        contact = queries.contact(session, binding.subject_id)
    assert (contact.openid, contact.language, contact.phone) == (account.openid, "en", None)


# One person, one subject -----------------------------------------------------------------------------------------------


def test_merging_moves_what_the_absorbed_one_had(citizen: Callable[..., Any], heard: list[Any]) -> None:
    (kept, _), (absorbed, _) = citizen(level=2), citizen(level=1)
    since = clock.now()
    with transaction() as session:
        phone = queries.contact(session, absorbed.subject_id).phone
        service.merge(session, actor=SOURCE, kept=kept.subject_id, absorbed=absorbed.subject_id, proofs_since=since)
    with transaction() as session:
        holder = service.phone_holder(session, phone or "")
        assert holder is not None
        assert (holder.subject_id, holder.proofs_since) == (kept.subject_id, since)
        gone = session.get_one(Subject, absorbed.subject_id)
        assert (gone.state, gone.merged_into) == (SubjectState.MERGED, kept.subject_id)
    assert heard[0] == SubjectsMerged(kept.subject_id, absorbed.subject_id)
    assert isinstance(heard[1], AccountChanged)
    assert (heard[1].subject_id, heard[1].change) == (kept.subject_id, AccountChange.SIGN_IN_ADDED)
    assert "account.merge" in actions(kept.subject_id)


def test_proven_persons_are_never_merged(citizen: Callable[..., Any]) -> None:
    """PEERS 4.2: two people with one number exist; a registrar decides, not the system."""
    (one, _), (other, _) = citizen(level=2), citizen(level=2)
    with pytest.raises(StateConflict), transaction() as session:
        service.merge(session, actor=SOURCE, kept=one.subject_id, absorbed=other.subject_id, proofs_since=None)


def test_a_merged_subject_is_merged_once(citizen: Callable[..., Any]) -> None:
    (kept, _), (absorbed, _) = citizen(level=2), citizen(level=1)
    with transaction() as session:
        service.merge(session, actor=SOURCE, kept=kept.subject_id, absorbed=absorbed.subject_id, proofs_since=None)
    with pytest.raises(StateConflict), transaction() as session:
        service.merge(session, actor=SOURCE, kept=kept.subject_id, absorbed=absorbed.subject_id, proofs_since=None)


def test_the_database_wants_a_target_of_a_merge(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    with pytest.raises(IntegrityError, match="merged_has_target"), transaction() as session:
        session.execute(update(Subject).where(Subject.id == actor.subject_id).values(state=SubjectState.MERGED))


def test_a_renamed_person_leaves_a_trace(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(name="王小明")
    with transaction() as session:
        service.rename(session, actor=SOURCE, subject_id=actor.subject_id, name="王大明")
        service.rename(session, actor=SOURCE, subject_id=actor.subject_id, name="王大明")
    with transaction() as session:
        assert queries.person(session, actor.subject_id).name == "王大明"
    assert actions(actor.subject_id).count("account.rename") == 1


def test_freezing_happens_once_and_is_announced(citizen: Callable[..., Any], heard: list[Any]) -> None:
    actor, _ = citizen()
    with transaction() as session:
        assert service.freeze(session, actor=SOURCE, subject_id=actor.subject_id, reason=FreezeReason.DEATH) is True
        assert service.freeze(session, actor=SOURCE, subject_id=actor.subject_id, reason=FreezeReason.DEATH) is False
        with pytest.raises(AccountFrozen):
            service.lock(session, actor.subject_id)
    assert heard == [SubjectFrozen(actor.subject_id, FreezeReason.DEATH)]
    assert actions(actor.subject_id).count("account.freeze") == 1


def test_a_released_phone_tells_its_owner_unless_it_was_replaced(heard: list[Any]) -> None:
    for reason in EndReason:
        phone = make.phone_number()
        owner = with_phone(phone)
        heard.clear()
        with transaction() as session:
            binding = service.phone_holder(session, phone)
            assert binding is not None
            service.release_phone(session, actor=SOURCE, binding=binding, reason=reason)
            assert service.phone_holder(session, phone) is None
        told = [(event.subject_id, event.change) for event in heard]
        assert told == ([] if reason is EndReason.REPLACED else [(owner, AccountChange.PHONE_TAKEN)])


# At the counter ----------------------------------------------------------------------------------------------------------


def test_a_walk_in_becomes_a_proven_subject_once() -> None:
    card = make.resident_id()
    with transaction() as session:
        first = service.open_for_walk_in(session, actor=CLERK, name=" 古丽 ", document=card)
    with transaction() as session:
        assert service.open_for_walk_in(session, actor=CLERK, name="古丽", document=card) == first
        assert queries.standing(session, first).proven
        assert queries.person(session, first).name == "古丽"
    assert actions(first) == ["account.bind_document", "account.open_at_counter", "account.open_at_counter"]


def test_a_walk_in_with_an_account_is_found_and_keeps_its_phone(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    actor, _ = citizen(name="李雷", document=card)
    with transaction() as session:
        phone = queries.contact(session, actor.subject_id).phone
        found = service.open_for_walk_in(session, actor=CLERK, name="李雷", document=card, phone="19800000009")
        assert found == actor.subject_id
        assert queries.contact(session, found).phone == phone


def test_a_walk_in_with_another_name_is_refused(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    citizen(name="李雷", document=card)
    with pytest.raises(DocumentDiffers) as refusal, transaction() as session:
        service.open_for_walk_in(session, actor=CLERK, name="韩梅梅", document=card)
    assert "李雷" not in str(refusal.value.fields)


def test_two_counters_open_one_walk_in_once() -> None:
    card = make.resident_id()
    found: list[UUID] = []
    together = threading.Barrier(6)

    def receive() -> None:
        together.wait()
        with transaction() as session:
            found.append(service.open_for_walk_in(session, actor=CLERK, name="赵六", document=card))

    threads = [threading.Thread(target=receive) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_a_dormant_phone_is_a_matter_of_when_it_was_last_proven() -> None:
    phone = make.phone_number()
    with_phone(phone)
    with transaction() as session:
        binding = service.phone_holder(session, phone)
        assert binding is not None
        with clock.shift(timedelta(days=50)):
            service.confirm_phone(session, binding.id)
    with transaction() as session:
        again = service.phone_holder(session, phone)
        assert again is not None
        assert again.confirmed_at - binding.confirmed_at >= timedelta(days=49)
