"""Items, lists and counters for those who act for others (DG-1 to DG-3)."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from auth.accounts.errors import DocumentDiffers
from auth.delegation import service as delegation
from auth.delegation.errors import DelegationRevoked
from auth.delegation.rules import Scope
from auth.organisations import service as organisations
from auth.organisations.rules import Role
from casework.acting import queries
from casework.acting import service as acting
from casework.cases import service as cases
from casework.catalogue import queries as catalogue
from casework.counter import service as counter
from casework.delivery import service as delivery
from casework.fees import service as fees
from casework.prereview.review import service as review
from casework.prereview.rules import Reason
from core import clock
from core.actors import Action, Capacity, Citizen, Staff
from core.clock import SHANGHAI
from core.db import transaction
from core.errors import DelegationOutOfScope, InvalidInput, NotFound
from payments.bills.rules import BillState
from tests.factories import auth as people
from tests.factories import cases as make_case
from tests.factories import delegation as make
from tests.factories import prereview as papers
from tests.factories.catalogue import CITY_HALL
from tests.sandbox_client import Sandbox

People = Callable[..., tuple[Any, dict[str, str]]]
TUESDAY = datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
HOUSE, CHILD_CARD, LICENCE = "NB-002", "NB-092", "NB-041"


@pytest.fixture(autouse=True)
def _on_tuesday() -> Iterator[None]:
    with clock.at(TUESDAY):
        yield


@pytest.fixture
def clerk(staff: People) -> Staff:
    actor: Staff = staff("FRONT_CLERK", hall_id=CITY_HALL)[0]
    return actor


@pytest.fixture
def officer(staff: People) -> Staff:
    actor: Staff = staff("BACK_OFFICER", department_id="D11")[0]
    return actor


def test_the_items_of_every_scope(citizen: People) -> None:
    principal, agent = citizen(level=3)[0], citizen(level=3)[0]
    with transaction() as session:
        named = make.for_other(session, principal, agent, HOUSE, "NB-100")
        kinds = make.acting_as(session, agent, make.delegate(session, principal, agent, kinds=["Z4"]).id)
        friendly = make.acting_as(session, agent, make.delegate(session, principal, agent).id)
        link = make.guardian_of(session, agent, citizen(level=2)[0].subject_id, None)
        guardian = make.acting_as(session, agent, link.id)
        assert queries.visible_items(session, named) == frozenset({HOUSE})
        of_zone = queries.visible_items(session, kinds)
        assert of_zone is not None
        assert {catalogue.item_in_force(session, item, clock.today()).zone_code for item in of_zone} == {"Z4"}
        assert queries.visible_items(session, friendly) == frozenset({"NB-110", "NB-111", "NB-114"})
        assert queries.visible_items(session, guardian) is None
        assert queries.visible_items(session, principal) is None
        assert queries.visible_items(session, Citizen(**_on_behalf(agent, principal))) == frozenset()


def _on_behalf(agent: Citizen, principal: Citizen) -> dict[str, Any]:
    return {
        "subject_id": agent.subject_id,
        "session_id": agent.session_id,
        "level": 3,
        "channel": "APP",
        "on_behalf_of": principal.subject_id,
    }


def test_without_what_allows_it_nobody_acts_for_another(citizen: People) -> None:
    """A service that is handed an actor without a delegation refuses: the check isn't only at the door."""
    principal, agent = citizen(level=3)[0], citizen(level=3)[0]
    bare = Citizen(**_on_behalf(agent, principal))
    with pytest.raises(DelegationOutOfScope), transaction() as session:
        papers.draft(session, bare)


@pytest.mark.parametrize("action", list(Action))
def test_every_action_needs_its_own_word(citizen: People, action: Action) -> None:
    principal, agent = citizen(level=3)[0], citizen(level=3)[0]
    with transaction() as session:
        item = catalogue.item_in_force(session, HOUSE, clock.today())
        allowed = make.for_other(session, principal, agent, HOUSE, actions=[action])
        acting.require(session, actor=allowed, action=action, item=item)
        for other in set(Action) - {action}:
            with pytest.raises(DelegationOutOfScope):
                acting.require(session, actor=allowed, action=other, item=item)


def test_a_notice_is_answered_only_with_the_word_for_it(citizen: People, clerk: Staff) -> None:
    """提交 is one thing, 补正 another (DG-1)."""
    principal, agent = citizen(level=3)[0], citizen(level=3)[0]
    with transaction() as session:
        files = make.for_other(session, principal, agent, HOUSE, actions=[Action.SUBMIT, Action.VIEW])
        made = papers.needs_change(session, files, clerk, {1: Reason.PAGE_MISSING})
        with pytest.raises(DelegationOutOfScope):
            papers.provide(session, files, made, 1)
        corrects = make.for_other(session, principal, agent, HOUSE, actions=[Action.CORRECT])
        papers.provide(session, corrects, made, 1)


def test_at_the_counter_with_the_handlers_card(sandbox: Sandbox, clerk: Staff) -> None:
    """The case is the company's, with its name and credit code, whoever's card was shown (ID-11)."""
    boss, _ = make.signed_in(sandbox, "zhang-wei")
    role = make.represent(sandbox, boss)
    card = make.document_of(make.persona(sandbox, "zhang-wei"))
    with transaction() as session:
        company = make.acting_as(session, boss, role)
        passed = papers.submitted(session, company, item_id=LICENCE, answers={})
        review.claim(session, actor=clerk, prereview_id=passed.id)
        papers.judge(session, clerk, passed)
        review.conclude(session, actor=clerk, prereview_id=passed.id)
        case = counter.accept_prereview(session, actor=clerk, prereview_id=passed.id, document=card)
        assert case.owner_id == company.owner_id != boss.subject_id
        assert (case.applicant_name, case.applicant_document_type) == ("宁波甬江贸易有限公司", "USCC")
        assert case.applicant_document == make.credit_code(sandbox, "yongjiang")


def test_any_handler_hands_in_what_a_colleague_filed(sandbox: Sandbox, clerk: Staff) -> None:
    """The papers are the company's; a handler for other items is nobody here (ID-11)."""
    boss, _ = make.signed_in(sandbox, "zhang-wei")
    role = make.represent(sandbox, boss)
    handlers = {key: make.signed_in(sandbox, key)[0] for key in ("wang-fang", "mother")}
    with transaction() as session:
        company = make.acting_as(session, boss, role)
        passed = papers.submitted(session, company, item_id=LICENCE, answers={})
        review.claim(session, actor=clerk, prereview_id=passed.id)
        papers.judge(session, clerk, passed)
        review.conclude(session, actor=clerk, prereview_id=passed.id)
        for key, items in (("wang-fang", [LICENCE]), ("mother", ["NB-012"])):
            person = make.persona(sandbox, key)
            offered = organisations.appoint(
                session,
                actor=company,
                name=person["name"],
                document=make.document_of(person),
                role=Role.HANDLER,
                scope=Scope.ITEMS,
                scope_values=items,
                actions=[Action.SUBMIT],
                valid_until=None,
            )
            organisations.answer(session, actor=handlers[key], role_id=offered, accept=True)
    cards = {key: make.document_of(make.persona(sandbox, key)) for key in handlers}
    with pytest.raises(DocumentDiffers), transaction() as session:
        counter.accept_prereview(session, actor=clerk, prereview_id=passed.id, document=cards["mother"])
    with transaction() as session:
        case = counter.accept_prereview(session, actor=clerk, prereview_id=passed.id, document=cards["wang-fang"])
        assert case.applicant_name == "宁波甬江贸易有限公司"


def test_a_former_agent_is_nobody_at_the_counter(citizen: People, clerk: Staff) -> None:
    own, theirs = people.resident_id(), people.resident_id()
    principal, agent = citizen(level=3, document=own)[0], citizen(level=3, document=theirs)[0]
    with transaction() as session:
        row = make.delegate(session, principal, agent, items=[HOUSE])
        passed = papers.passed(session, make.acting_as(session, agent, row.id), clerk)
        grant = row.id
    with transaction() as session:
        delegation.end(session, actor=principal, delegation_id=grant)
    with pytest.raises(DocumentDiffers), transaction() as session:
        counter.accept_prereview(session, actor=clerk, prereview_id=passed.id, document=theirs)
    with transaction() as session:
        counter.accept_prereview(session, actor=clerk, prereview_id=passed.id, document=own)


def test_who_may_collect(citizen: People, clerk: Staff, officer: Staff) -> None:
    """领证 needs its word in the delegation; what only the right-holder may receive stays (CR-2)."""
    own, theirs = people.resident_id(), people.resident_id()
    principal, agent = citizen(level=3, document=own)[0], citizen(level=3, document=theirs)[0]
    with transaction() as session:
        item = catalogue.item_in_force(session, CHILD_CARD, clock.today())
        owner_id, person_id = principal.subject_id, agent.subject_id
        assert not acting.may_collect(session, owner_id=owner_id, person_id=person_id, item=item)
        make.delegate(session, principal, agent, items=[CHILD_CARD], actions=[Action.VIEW])
        assert not acting.may_collect(session, owner_id=owner_id, person_id=person_id, item=item)
        make.delegate(session, principal, agent, items=[CHILD_CARD, HOUSE], actions=[Action.COLLECT])
        assert acting.may_collect(session, owner_id=owner_id, person_id=person_id, item=item)
        deed = catalogue.item_in_force(session, HOUSE, clock.today())
        self_only = deed.recipient_policy == "SELF_ONLY"
        assert acting.may_collect(session, owner_id=owner_id, person_id=person_id, item=deed) is not self_only


def test_bills_show_and_are_paid_in_scope(citizen: People, clerk: Staff) -> None:
    principal, agent = citizen(level=3)[0], citizen(level=3)[0]
    with transaction() as session:
        item = catalogue.item_in_force(session, HOUSE, clock.today())
        case = make_case.accepted(session, principal, clerk, item_id=HOUSE)
        line = next(line for line in item.fee_lines if line.amount_fen)
        (bill,) = fees.issue(
            session,
            actor=clerk,
            payer_id=principal.subject_id,
            item=item,
            answers=papers.NO_SPECIALS,
            quantities={line.no: 1},
            matter=("case", case.id),
        )
        payer = make.for_other(session, principal, agent, HOUSE, actions=[Action.PAY])
        viewer = make.for_other(session, principal, agent, HOUSE, actions=[Action.VIEW])
        other = make.for_other(session, principal, agent, CHILD_CARD)
        page = {"limit": 20, "cursor": None}
        for who, seen in ((payer, 1), (viewer, 1), (other, 0), (principal, 1)):
            assert len(fees.page_of_actor(session, who, page, state=BillState.ISSUED).items) == seen
        assert fees.open_to(session, actor=payer, bill_id=bill.id, action=Action.PAY).id == bill.id
        with pytest.raises(DelegationOutOfScope):
            fees.open_to(session, actor=viewer, bill_id=bill.id, action=Action.PAY)
        with pytest.raises(NotFound):
            fees.open_to(session, actor=other, bill_id=bill.id)


def test_an_agents_phone_is_not_the_receivers(citizen: People, clerk: Staff) -> None:
    principal, agent = citizen(level=3)[0], citizen(level=3)[0]
    address = {"region_code": "330203", "region": "浙江省宁波市海曙区", "street": "解放北路1号", "detail": "1室"}
    with transaction() as session:
        case = make_case.accepted(session, principal, clerk, item_id=CHILD_CARD)
        collector = make.for_other(session, principal, agent, CHILD_CARD)
        with pytest.raises(InvalidInput):
            delivery.request(session, actor=collector, case_id=case.id, phone="+8619911112222", address=address)


def test_the_timeline_says_who_acted(citizen: People, clerk: Staff) -> None:
    principal, agent = citizen(level=3)[0], citizen(level=3)[0]
    with transaction() as session:
        case = make_case.accepted(session, principal, clerk, item_id=CHILD_CARD)
        cases.withdraw(session, actor=make.for_other(session, principal, agent, CHILD_CARD), case_id=case.id)
        session.flush()
        session.refresh(case, ["transitions"])
        assert [move.acted_by for move in case.transitions][-1] == Capacity.AGENT
        assert case.transitions[0].acted_by is None


def test_a_delegation_runs_out(citizen: People) -> None:
    principal, agent = citizen(level=3)[0], citizen(level=3)[0]
    with transaction() as session:
        row = make.delegate(session, principal, agent, items=[HOUSE], valid_until=TUESDAY + timedelta(hours=1))
        assert row.scope == Scope.ITEMS
    with clock.at(TUESDAY + timedelta(hours=1)), transaction() as session, pytest.raises(DelegationRevoked):
        make.acting_as(session, agent, row.id)
