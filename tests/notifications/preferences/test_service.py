"""Consent to WeChat messages is counted (DOMAIN 2.6)."""

from uuid import UUID, uuid4

import pytest
from flask import Flask

from auth.accounts.events import SubjectsMerged
from core import db
from core.actors import Citizen
from core.errors import InvalidInput
from notifications.preferences import service
from notifications.preferences.models import SubscribeConsent
from tests.factories.notifications import reader

GROUP = "CASE_PROGRESS"


def _actor(subject_id: UUID) -> Citizen:
    return Citizen(subject_id, uuid4(), 1, "WXMP")


def _answer(subject_id: UUID, *answers: bool) -> None:
    for allowed in answers:
        with db.transaction() as session:
            service.answer(session, actor=_actor(subject_id), answers={GROUP: allowed})


def _remaining(subject_id: UUID) -> int | None:
    with db.transaction() as session:
        consent = session.get(SubscribeConsent, (subject_id, GROUP))
        return None if consent is None else consent.remaining


def _may(subject_id: UUID) -> bool:
    with db.transaction() as session:
        return service.may_send(session, subject_id, GROUP)


def test_the_count_goes_up_with_each_yes_and_down_with_each_message(database: Flask) -> None:
    someone = reader()
    assert _remaining(someone) is None
    assert _may(someone), "what isn't known is tried"
    _answer(someone, True, True)
    assert _remaining(someone) == 2
    for left in (1, 0, 0):
        with db.transaction() as session:
            service.spend(session, someone, GROUP)
        assert _remaining(someone) == left
    assert _may(someone)


def test_a_no_holds_until_the_next_yes(database: Flask) -> None:
    someone = reader()
    _answer(someone, True, False)
    assert (_may(someone), _remaining(someone)) == (False, 0)
    _answer(someone, True)
    assert (_may(someone), _remaining(someone)) == (True, 1)


def test_only_groups_that_exist(database: Flask) -> None:
    someone = reader()
    with pytest.raises(InvalidInput), db.transaction() as session:
        service.answer(session, actor=_actor(someone), answers={GROUP: True, "WEATHER": True})
    assert _remaining(someone) is None


def test_merged_subjects(database: Flask) -> None:
    kept, absorbed = reader(), reader(phone="+8619900000002")
    _answer(absorbed, True, True)
    with db.transaction() as session:
        service.move_owner(session, SubjectsMerged(kept=kept, absorbed=absorbed))
    assert (_remaining(kept), _remaining(absorbed)) == (2, None)
    _answer(absorbed, False)
    with db.transaction() as session:
        service.move_owner(session, SubjectsMerged(kept=kept, absorbed=absorbed))
    assert (_remaining(kept), _remaining(absorbed)) == (2, None)
