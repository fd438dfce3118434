"""Papers of which one is enough (居住证 or 户口簿), in a pre-review and in what a booking says to bring."""

from collections.abc import Callable
from typing import Any

import pytest

from casework.appointments.drafts.service import situation
from casework.catalogue import queries as catalogue
from casework.catalogue.drafts import service as drafts
from casework.catalogue.publishing import service as publishing
from casework.prereview import queries, service
from casework.prereview.errors import MaterialMissing
from casework.prereview.rules import State
from core import clock, db
from tests.factories import items
from tests.factories import prereview as make
from tests.factories.items import ITEM

People = Callable[..., tuple[Any, dict[str, str]]]


@pytest.fixture
def alternatives(own_database: str) -> None:
    """The item asks for a residence permit or a household book, where an agent acts."""
    with db.transaction() as session:
        pair = items.managers(session)
        current = catalogue.item_in_force(session, ITEM, clock.today()).version_id
        situations = items.section(session, current, "situations")
        materials = items.section(session, current, "materials")["materials"]
        card = {**materials[0], "no": 21, "name": "居住证", "alternative_group": "residence"}
        card |= {"required": False, "by_rule": True, "tolerable": False}
        book = {**card, "no": 22, "name": "户口簿"}
        draft = drafts.open_draft(session, actor=pair[0], item_id=ITEM)
        draft = items.edited(session, pair[0], draft, "materials", materials=[*materials, card, book])
        when = {"question": "agent", "is": "yes"}
        rules = [
            *situations["rules"],
            *({"no": no, "condition": when, "effect": "ADD_MATERIAL", "params": {"material": no}} for no in (21, 22)),
        ]
        draft = items.edited(session, pair[0], draft, "situations", **situations | {"rules": rules})
        made = publishing.submit(session, actor=pair[0], version_id=draft.id, edit=draft.edit)
        publishing.publish(session, actor=pair[1], version_id=made.id, effective_from=clock.today())


AGENT = make.NO_SPECIALS | {"agent": "yes"}


def test_one_of_them_is_enough(alternatives: None, citizen: People) -> None:
    zhang, _ = citizen(level=2)
    with db.transaction() as session:
        draft = make.draft(session, zhang, answers=AGENT)
        assert {21, 22} <= {m.no for m in draft.listed}
        for material in draft.listed:
            if material.no not in {21, 22} and material.needed and not material.waivable:
                make.provide(session, zhang, draft, material.no)
    with pytest.raises(MaterialMissing) as missing, db.transaction() as session:
        service.submit(session, actor=zhang, prereview_id=draft.id)
    assert missing.value.extra == {"materials": [21, 22]}
    with db.transaction() as session:
        make.provide(session, zhang, draft, 22)
        assert service.submit(session, actor=zhang, prereview_id=draft.id).state == State.SUBMITTED
        assert 21 not in {m.no for m in queries.owned(session, draft.id, zhang.owner_id).listed}


def test_without_an_agent_neither_is_asked_for(alternatives: None, citizen: People) -> None:
    zhang, _ = citizen(level=2)
    with db.transaction() as session:
        assert not {21, 22} & {m.no for m in make.draft(session, zhang).listed}


def test_a_booking_says_one_or_the_other(alternatives: None) -> None:
    with db.transaction() as session:
        item = catalogue.item_in_force(session, ITEM, clock.today())
        _, papers = situation(item, None, AGENT)
        assert "居住证或户口簿" in papers
        for answers in ({}, make.NO_SPECIALS):
            assert not any("居住证" in paper for paper in situation(item, None, answers)[1])
