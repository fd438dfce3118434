"""Everybody a booking is for (AP-12)."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from casework.appointments import service
from casework.appointments.errors import BookingLimit
from casework.appointments.parties.service import Party
from core import clock
from core.actors import Citizen
from tests.factories import appointments as make
from tests.factories.appointments import NOW, at
from tests.factories.auth import resident_id

Citizens = Callable[..., tuple[Citizen, dict[str, str]]]
OTHER_ITEM = "NB-001"


@pytest.fixture(autouse=True)
def _today(app: Flask) -> Iterator[None]:
    with clock.at(NOW):
        yield


def _limit(session: Session, person: Citizen, slot: UUID, **more: Any) -> object:
    with pytest.raises(BookingLimit) as limit:
        make.book(session, person, slot, **more)
    return limit.value.extra["limit"]


def test_parties_are_named_and_have_limits(session: Session, citizen: Citizens) -> None:
    """AP-12: the other party's own booking of the item, or of that day, stands in the way."""
    seller, buyer = citizen()[0], resident_id()
    slot = make.slot(session)
    parties = [Party("李四", buyer), Party("王五")]
    booked = make.book(session, seller, slot, parties=parties)
    assert [one.name for one in make.stored(session, booked).parties] == ["李四", "王五"]
    raw = session.execute(text("SELECT name, document FROM appointment_party")).all()
    assert not any("李四".encode() in bytes(row.name) for row in raw)
    assert _limit(session, citizen()[0], slot, parties=parties[:1]) == "PARTY"
    known = citizen(document=buyer)[0]
    other = citizen()[0]
    thursday = make.slot(session, at(9, day=date(2026, 12, 3)))
    make.book(session, known, thursday, item_id=OTHER_ITEM)
    assert _limit(session, other, thursday, item_id=OTHER_ITEM, parties=parties[:1]) == "PARTY"


def test_changing_keeps_the_parties(session: Session, citizen: Citizens) -> None:
    seller, buyer = citizen()[0], resident_id()
    old = make.book(session, seller, make.slot(session), parties=[Party("李四", buyer)], needs=["GUIDE"])
    new = service.change(session, actor=seller, appointment_id=old.id, slot_id=make.slot(session, at(10)))
    kept = make.stored(session, new)
    assert [(one.name, one.document) for one in kept.parties] == [("李四", buyer.number)]
    assert kept.needs == ["GUIDE"]
