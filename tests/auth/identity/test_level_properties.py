"""What holds for any evidence and any order of events (ID-1, ID-3)."""

import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.identity import service
from auth.identity.rules import POLICY, EvidenceType, Proof, Result, cooling_down_until, counts, expiry, level
from core import clock, db
from core.actors import Citizen
from core.db import transaction
from tests.factories import auth as make
from tests.factories.identity import CLERK, answer, level_without_session, prove, subject_of

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
PHONE = EvidenceType.PHONE

moments = st.integers(-1_000, 1_000).map(lambda minutes: NOW + timedelta(minutes=minutes))
past = st.integers(1, 1_000).map(lambda minutes: NOW - timedelta(minutes=minutes))
proofs = st.builds(
    Proof, st.sampled_from(EvidenceType), st.sampled_from(Result), moments, st.none() | moments, st.none() | moments
)
standing = st.builds(Proof, st.sampled_from(EvidenceType), st.just(Result.PASS), past)


@given(st.lists(proofs, max_size=8), st.lists(proofs, max_size=4), st.none() | moments)
def test_more_evidence_never_lowers(held: list[Proof], more: list[Proof], since: datetime | None) -> None:
    assert level([*held, *more], NOW, since=since) >= level(held, NOW, since=since)


@given(st.lists(proofs, max_size=5))
def test_every_ordering_gives_the_same_level(held: list[Proof]) -> None:
    assert len({level(list(order), NOW) for order in itertools.permutations(held)}) == 1


@given(st.lists(standing, min_size=1, max_size=6), st.data())
def test_an_expired_or_revoked_one_lowers_to_what_the_others_give(held: list[Proof], data: st.DataObject) -> None:
    """It always can: exactly to the level of the rest, and taking all of them leaves nothing."""
    at = data.draw(st.integers(0, len(held) - 1))
    rest = held[:at] + held[at + 1 :]
    one = held[at]
    for ended in (
        Proof(one.type, one.result, one.at, expires_at=NOW),
        Proof(one.type, one.result, one.at, revoked_at=NOW),
    ):
        assert level([*rest, ended], NOW) == level(rest, NOW) <= level(held, NOW)
    gone = [Proof(proof.type, proof.result, proof.at, revoked_at=NOW) for proof in held]
    assert level(gone, NOW) == 0


@given(st.sampled_from(EvidenceType), moments, st.none() | st.dates(NOW.date(), (NOW + timedelta(days=4_000)).date()))
def test_evidence_never_outlives_its_period_or_the_document(kind: EvidenceType, at: datetime, until: Any) -> None:
    ends = expiry(kind, at, valid_until=until)
    period = POLICY.validity[kind]
    if period is not None:
        assert ends is not None
        assert ends <= at + period
        assert not counts(Proof(kind, Result.PASS, at, ends), at + period)
    if until is not None and kind in POLICY.grants:
        assert ends is not None
        assert ends <= clock.day_start(until + timedelta(days=1))


@given(st.none() | moments, st.none() | moments)
def test_the_cool_down_ends_by_itself(changed: datetime | None, known: datetime | None) -> None:
    """ID-13: at most a day after the change, never for a device that was there before it."""
    until = cooling_down_until(phone_changed_at=changed, device_known_since=known, now=NOW)
    if until is not None:
        assert changed is not None
        assert NOW < until == changed + POLICY.cool_down
        assert known is None or known >= changed
        assert cooling_down_until(phone_changed_at=changed, device_known_since=known, now=until) is None


# The same events in every order, in the database -----------------------------------------------------------------------


def _events(actor: Citizen, phone: str, card: Any) -> dict[str, Callable[[], None]]:
    def phone_again() -> None:
        with transaction() as session:
            service.prove_factor(
                session, subject_id=actor.subject_id, kind=PHONE, subject_hash=people.phone_lookup(phone)
            )

    def counter() -> None:
        with transaction() as session:
            service.record_counter_check(session, actor=CLERK, subject_id=actor.subject_id, document=card, name="张三")

    def named() -> None:
        prove(actor, answer(card)).insist()

    return {"phone": phone_again, "counter": counter, "named": named}


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("order", list(itertools.permutations(["phone", "counter", "named"])))
def test_the_order_of_events_does_not_matter(citizen: Callable[..., Any], order: tuple[str, ...]) -> None:
    phone, card = make.phone_number(), make.resident_id()
    actor, _ = citizen(level=1, phone=phone)
    steps = _events(actor, phone, card)
    for step in order:
        steps[step]()
    assert level_without_session(actor.subject_id) == 3
    with transaction() as session:
        assert people.find_by_document(session, card) == actor.subject_id


@pytest.mark.usefixtures("database")
def test_two_sign_ins_and_a_counter_race_for_one_number(citizen: Callable[..., Any]) -> None:
    """ID-3: by phone, by WeChat and at a counter, at the same time: one subject, whoever is first."""
    card = make.resident_id()
    wechat, _ = citizen(level=1)
    phone = make.signed_in_by_phone(make.phone_number())
    failures: list[BaseException] = []
    together = threading.Barrier(3)

    def run(act: Callable[[], object]) -> None:
        together.wait()
        try:
            act()
        except BaseException as fault:
            failures.append(fault)

    def at_the_counter() -> None:
        with transaction() as session:
            subject_id = accounts.open_for_walk_in(session, actor=CLERK, name="张三", document=card)
            service.record_counter_check(session, actor=CLERK, subject_id=subject_id, document=card)

    acts = (lambda: prove(wechat, answer(card)).insist(), lambda: prove(phone, answer(card)).insist(), at_the_counter)
    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with transaction() as session:
        holder = people.find_by_document(session, card)
    assert subject_of(wechat) == subject_of(phone) == holder


_OWNED = (
    "SELECT count(*) FROM identity_evidence", "SELECT count(*) FROM phone_binding",
    "SELECT count(*) FROM wechat_binding", "SELECT count(*) FROM citizen_session", "SELECT count(*) FROM login_event",
    "SELECT count(*) FROM identity_review", "SELECT count(*) FROM subject",
)  # fmt: skip


@pytest.mark.usefixtures("database")
def test_a_merge_keeps_every_row(citizen: Callable[..., Any]) -> None:
    """ID-3: nothing of the absorbed subject is lost, and nothing stays behind with it."""
    card = make.resident_id()
    (known, _), (joins, _) = citizen(level=3, document=card), citizen(level=1)
    before = _counts()
    prove(joins, answer(card)).insist()
    assert _counts() == [count + (1 if "evidence" in query else 0) for query, count in zip(_OWNED, before, strict=True)]
    assert _left_behind(joins.subject_id) == 0
    assert subject_of(joins) == known.subject_id


def _counts() -> list[int]:
    with db.engine().connect() as connection:
        return [int(connection.execute(text(query)).scalar_one()) for query in _OWNED]


def _left_behind(subject_id: UUID) -> int:
    """How many rows of any table still point at the absorbed subject, but the note of whom it became and the audit."""
    columns = text(
        "SELECT cls.relname, att.attname FROM pg_constraint con JOIN pg_class cls ON cls.oid = con.conrelid"
        " JOIN pg_attribute att ON att.attrelid = con.conrelid AND att.attnum = con.conkey[1]"
        " WHERE con.contype = 'f' AND con.confrelid = 'subject'::regclass AND cls.relname <> 'subject'"
    )
    with db.engine().connect() as connection:
        return sum(
            int(
                connection.execute(
                    text(f'SELECT count(*) FROM "{table}" WHERE "{column}" = :id'), {"id": subject_id}
                ).scalar_one()
            )
            for table, column in connection.execute(columns)
        )
