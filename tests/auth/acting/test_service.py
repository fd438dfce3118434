"""What X-Act-For comes to: whose it is, what it is worth now, and who is told."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from auth.acting import queries, service
from auth.delegation import service as delegation
from auth.delegation.counter import service as counter
from auth.delegation.errors import DelegationRevoked, GuardianshipDisputed
from auth.delegation.record import service as record
from auth.delegation.rules import Kind, Scope, State
from auth.delegation.service import Wish
from core import clock, db
from core.actors import Action, Capacity, Citizen
from core.errors import DelegationOutOfScope, NotFound
from tests.factories import delegation as make
from tests.factories.delegation import OTHER, TUESDAY
from tests.sandbox_client import Sandbox

People = Callable[..., tuple[Any, dict[str, str]]]


@pytest.fixture(autouse=True)
def _on_tuesday() -> Iterator[None]:
    with clock.at(TUESDAY):
        yield


@pytest.fixture
def principal(citizen: People) -> Citizen:
    actor: Citizen = citizen(level=3)[0]
    return actor


@pytest.fixture
def agent(citizen: People) -> Citizen:
    actor: Citizen = citizen(level=3)[0]
    return actor


def _set(table: str, change: str, row_id: UUID) -> None:
    with db.transaction() as session:
        session.execute(text(f"UPDATE {table} SET {change} WHERE id = :id"), {"id": row_id})


def test_what_it_allows(principal: Citizen, agent: Citizen) -> None:
    with db.transaction() as session:
        row = make.delegate(session, principal, agent, items=[OTHER], actions=[Action.VIEW, Action.PAY])
    found = service.resolve(agent, row.id)
    assert (found.subject_id, found.owner_id) == (agent.subject_id, principal.subject_id)
    assert found.acting is not None
    assert (found.acting.grant_id, found.acting.capacity) == (row.id, Capacity.AGENT)
    assert found.acting.actions == {Action.VIEW, Action.PAY}
    assert (found.acting.scope, found.acting.scope_values) == (Scope.ITEMS.value, frozenset({OTHER}))
    assert found.audit_id == agent.audit_id


def test_it_is_one_statement(principal: Citizen, agent: Citizen, count_queries: Any) -> None:
    with db.transaction() as session:
        row = make.delegate(session, principal, agent, items=[OTHER])
    with count_queries() as statements:
        service.resolve(agent, row.id)
    assert len(statements) == 1


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (State.OFFERED, DelegationOutOfScope),
        (State.ACCEPTED, DelegationOutOfScope),
        (State.DISPUTED, GuardianshipDisputed),
        (State.DECLINED, DelegationRevoked),
        (State.REVOKED, DelegationRevoked),
        (State.RENOUNCED, DelegationRevoked),
    ],
)
def test_every_state_but_one_is_refused(
    principal: Citizen, agent: Citizen, state: State, refusal: type[Exception]
) -> None:
    with db.transaction() as session:
        row = make.delegate(session, principal, agent, items=[OTHER])
    over = ", ended_at = now()" if state in {State.DECLINED, State.REVOKED, State.RENOUNCED} else ""
    _set("delegation", f"state = '{state}'{over}", row.id)
    with pytest.raises(refusal):
        service.resolve(agent, row.id)


def test_whose_it_isnt(principal: Citizen, agent: Citizen, citizen: People) -> None:
    with db.transaction() as session:
        row = make.delegate(session, principal, agent, items=[OTHER])
    for other, grant in ((principal, row.id), (citizen(level=3)[0], row.id), (agent, uuid4())):
        with pytest.raises(NotFound):
            service.resolve(other, grant)


def test_a_frozen_principal(principal: Citizen, agent: Citizen) -> None:
    """ID-12: nobody goes on in the name of somebody who died."""
    with db.transaction() as session:
        row = make.delegate(session, principal, agent, items=[OTHER])
    service.resolve(agent, row.id)
    _set("subject", "state = 'FROZEN'", principal.subject_id)
    with pytest.raises(DelegationRevoked):
        service.resolve(agent, row.id)


def test_a_child_under_fourteen_needs_consent(citizen: People, agent: Citizen) -> None:
    with db.transaction() as session:
        small, big = citizen(level=2)[0], citizen(level=2)[0]
        links = [
            make.guardian_of(session, agent, child.subject_id, born).id
            for child, born in ((small, date(2012, 11, 25)), (big, date(2012, 11, 24)))
        ]
    found = [service.resolve(agent, link).acting for link in links]
    assert [acting.needs_minor_consent for acting in found if acting is not None] == [True, False]


def test_an_agencys_people_act_while_its_contract_lasts(
    principal: Citizen, sandbox: Sandbox, staff: People, citizen: People
) -> None:
    """DG-4: named staff only, and the day the contract ends is the last."""
    head, _ = make.signed_in(sandbox, "li-na")
    role = make.represent(sandbox, head, "agency")
    manager, _ = staff("DEPARTMENT_MANAGER", department_id="D11")
    wish = Wish(Kind.AGENCY, Scope.ITEMS, [OTHER], [Action.SUBMIT, Action.VIEW])
    with db.transaction() as session:
        agency = make.acting_as(session, head, role)
        counter.sign_contract(
            session,
            actor=manager,
            agency_id=agency.owner_id,
            number="甬代办2026-002",
            principals=3,
            valid_from=TUESDAY,
            valid_until=TUESDAY + timedelta(days=1),
        )
        made = delegation.open_offer(session, actor=principal, principal_id=principal.subject_id, wish=wish)
        row = delegation.take(session, actor=agency, code=made.code).insist()
        record.move(session, principal, row, State.ACTIVE)
    found = service.resolve(head, row.id)
    assert (found.owner_id, found.acted_by) == (principal.subject_id, Capacity.AGENCY)
    with db.transaction() as session:
        held = queries.whom(session, head.subject_id, clock.now())
        assert {one.capacity for one in held} == {Capacity.LEGAL_REPRESENTATIVE, Capacity.AGENCY}
    with pytest.raises(NotFound):
        service.resolve(citizen(level=3)[0], row.id)
    with clock.at(TUESDAY + timedelta(days=1)), pytest.raises(DelegationRevoked):
        service.resolve(head, row.id)


def test_who_is_told(principal: Citizen, agent: Citizen, citizen: People, sandbox: Sandbox) -> None:
    """The principal first; who may act no more hears nothing more; others read for a child and a company (DG-2)."""
    mother, child = citizen(level=3)[0], citizen(level=2)[0]
    boss, _ = make.signed_in(sandbox, "zhang-wei")
    role = make.represent(sandbox, boss)
    with db.transaction() as session:
        own, other = principal.subject_id, agent.subject_id
        assert service.receivers(session, owner_id=own, acting_id=own) == (own,)
        assert service.receivers(session, owner_id=own, acting_id=other) == (own,)
        row = make.delegate(session, principal, agent, items=[OTHER])
        assert service.receivers(session, owner_id=own, acting_id=other) == (own, other)
        delegation.end(session, actor=principal, delegation_id=row.id)
        assert service.receivers(session, owner_id=own, acting_id=other) == (own,)
        make.guardian_of(session, mother, child.subject_id, date(2016, 1, 1))
        assert service.receivers(session, owner_id=child.subject_id) == (child.subject_id, mother.subject_id)
        company = make.acting_as(session, boss, role).owner_id
        assert service.receivers(session, owner_id=company) == (boss.subject_id,)
