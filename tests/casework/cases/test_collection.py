"""Submit at the nearest hall, collect at another one (S12)."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from casework.cases import queries, service
from casework.cases.collection.service import choose_hall
from casework.cases.models import ServiceCase
from casework.cases.rules import BEFORE_ISSUING, FINAL, State
from casework.delivery import service as delivery
from casework.delivery.models import Shipment
from casework.places.rules import hall_id
from core import db
from core.actors import Citizen, Staff
from core.errors import InvalidInput, NotFound, StateConflict
from tests.factories import cases as make
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]
YUYAO = hall_id("NB-330281")
ADDRESS = {"region_code": "330281", "region": "浙江省宁波市余姚市", "street": "阳明街道", "detail": "谭家岭东路1号"}


@pytest.fixture
def me(citizen: People) -> Citizen:
    actor: Citizen = citizen(level=3, name="张三丰")[0]
    return actor


@pytest.fixture
def clerk(staff: People) -> Staff:
    actor: Staff = staff("FRONT_CLERK", hall_id=CITY_HALL)[0]
    return actor


@pytest.fixture
def there(staff: People) -> Staff:
    actor: Staff = staff("FRONT_CLERK", hall_id=YUYAO)[0]
    return actor


@pytest.fixture
def officer(staff: People) -> Staff:
    actor: Staff = staff("BACK_OFFICER", department_id=make.DEPARTMENT)[0]
    return actor


def test_accepted_here_collected_there(me: Citizen, clerk: Staff, there: Staff, officer: Staff) -> None:
    with db.transaction() as session:
        case = make.accepted(session, me, clerk)
        with pytest.raises(NotFound):
            queries.for_staff(session, case.id, there, acting=frozenset({"FRONT_CLERK"}))
    for _ in range(2):
        with db.transaction() as session:
            choose_hall(session, actor=me, case_id=case.id, hall_id=YUYAO)
    with db.transaction() as session:
        moved = queries.owned(session, case.id, me.subject_id)
        assert (moved.accept_hall_id, moved.issue_hall_id, moved.state) == (CITY_HALL, YUYAO, case.state)
        notes = [step.reason for step in moved.transitions if step.from_state == step.to_state]
        assert notes == ["领取地点改为余姚市行政服务中心"]
        service.decide(session, actor=officer, case_id=case.id, granted=True)
        service.conclude(
            session, actor=officer, case_id=case.id, result_name="不动产权证书", result_number="浙(2026)第1号"
        )
        service.start_issuing(session, actor=there, case_id=case.id)
    with db.transaction() as session:
        service.collect(session, actor=there, case_id=case.id, document=make.document_of(session, me))
        assert queries.owned(session, case.id, me.subject_id).state == State.DELIVERED


def test_the_clerk_notes_it_for_somebody_at_the_counter(me: Citizen, clerk: Staff, there: Staff) -> None:
    with db.transaction() as session:
        case = make.received(session, me, clerk)
        with pytest.raises(NotFound):
            choose_hall(session, actor=there, case_id=case.id, hall_id=YUYAO)
        assert choose_hall(session, actor=clerk, case_id=case.id, hall_id=YUYAO).issue_hall_id == YUYAO
        assert choose_hall(session, actor=there, case_id=case.id, hall_id=CITY_HALL).issue_hall_id == CITY_HALL


def test_only_halls_that_have_the_zone(me: Citizen, clerk: Staff) -> None:
    with db.transaction() as session:
        case = make.accepted(session, me, clerk)
    for nowhere in (hall_id("NB-999999"), case.id):
        with pytest.raises(InvalidInput), db.transaction() as session:
            choose_hall(session, actor=me, case_id=case.id, hall_id=nowhere)


def test_not_a_stranger_s(me: Citizen, clerk: Staff, citizen: People) -> None:
    stranger = citizen(level=3, name="王五")[0]
    with db.transaction() as session:
        case = make.accepted(session, me, clerk)
    with pytest.raises(NotFound), db.transaction() as session:
        choose_hall(session, actor=stranger, case_id=case.id, hall_id=YUYAO)


def test_too_late_once_it_is_being_issued(me: Citizen, clerk: Staff, officer: Staff) -> None:
    with db.transaction() as session:
        case = make.ready(session, me, clerk, officer)
    with pytest.raises(StateConflict), db.transaction() as session:
        choose_hall(session, actor=me, case_id=case.id, hall_id=YUYAO)
    assert not BEFORE_ISSUING & (FINAL | {State.DRAFT, State.SUBMITTED, State.ISSUING})


def test_a_parcel_asked_for_starts_from_the_new_hall(me: Citizen, clerk: Staff) -> None:
    with db.transaction() as session:
        case = make.accepted(session, me, clerk)
        asked = delivery.request(session, actor=me, case_id=case.id, phone="13800138000", address=ADDRESS)
    with db.transaction() as session:
        choose_hall(session, actor=me, case_id=case.id, hall_id=YUYAO)
    with db.transaction() as session:
        assert session.scalar(select(Shipment.hall_id).where(Shipment.id == asked.id)) == YUYAO
        assert session.scalar(select(ServiceCase.issue_hall_id).where(ServiceCase.id == case.id)) == YUYAO
