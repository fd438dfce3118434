"""The cap under threads, history that never changes, and what a merge of subjects does."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from auth.accounts.events import SubjectsMerged
from auth.delegation import queries, service
from auth.delegation.errors import DelegationLimit
from auth.delegation.models import Delegation
from auth.delegation.rules import POLICY, Kind, Scope, State
from auth.delegation.service import Wish
from core import clock, db
from core.actors import Action, Citizen
from tests.factories import delegation as make

Citizens = Callable[..., tuple[Any, dict[str, str]]]
WISH = Wish(Kind.FAMILY, Scope.AGENT_FRIENDLY, (), (Action.VIEW,))


def _offered(principal: Citizen) -> str:
    with db.transaction() as session:
        return service.offer(session, actor=principal, wish=WISH).code


def test_many_offers_at_once_do_not_get_around_the_cap(citizen: Citizens) -> None:
    agent, _ = citizen(level=2)
    codes = [_offered(citizen(level=2)[0]) for _ in range(POLICY.principals_per_agent + 3)]

    def take(code: str) -> bool:
        try:
            with db.transaction() as session:
                service.take(session, actor=agent, code=code).insist()
        except DelegationLimit:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(take, codes))
    assert sum(taken) == POLICY.principals_per_agent


def test_one_offer_has_one_taker(citizen: Citizens) -> None:
    code = _offered(citizen(level=2)[0])
    agents = [citizen(level=2)[0] for _ in range(4)]

    def take(agent: Citizen) -> bool:
        with db.transaction() as session:
            return service.take(session, actor=agent, code=code).row is not None

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(take, agents)) == 1


@pytest.mark.parametrize("statement", ["UPDATE delegation_event SET note = 'x'", "DELETE FROM delegation_event"])
def test_history_is_never_changed(citizen: Citizens, statement: str) -> None:
    _offered(citizen(level=2)[0])
    with pytest.raises(DBAPIError, match="never changed"), db.transaction() as session:
        session.execute(text(statement))


def test_a_code_is_kept_as_a_hash_only(citizen: Citizens) -> None:
    code = _offered(citizen(level=2)[0])
    with db.transaction() as session:
        stored = session.execute(text("SELECT to_jsonb(d)::text FROM delegation d")).scalar_one()
    assert code not in stored


def test_delegations_follow_a_merge(citizen: Citizens) -> None:
    """What was given and held belongs to the kept subject; one between the two ends (ID-3)."""
    kept, absorbed = citizen(level=3)[0], citizen(level=3)[0]
    third, child = citizen(level=3)[0], citizen(level=3)[0]
    with db.transaction() as session:
        given = make.delegate(session, absorbed, third, items=["NB-002"]).id
        held = make.delegate(session, third, absorbed, items=["NB-002"]).id
        between = make.delegate(session, absorbed, kept, items=["NB-002"]).id
        links = [make.guardian_of(session, who, child.subject_id, date(2015, 1, 1)).id for who in (kept, absorbed)]
    with db.transaction() as session:
        service.move_owner(session, SubjectsMerged(kept.subject_id, absorbed.subject_id))
    with db.transaction() as session:
        rows = {row.id: row for row in queries.all_between(session, [kept.subject_id, absorbed.subject_id])}
        assert rows[given].principal_id == rows[held].agent_id == kept.subject_id
        assert rows[between].state == State.REVOKED
        assert [rows[link].state for link in links] == [State.ACTIVE, State.REVOKED]
        assert len(queries.guardians_of(session, child.subject_id, clock.now())) == 1
        assert session.get_one(Delegation, given).state == State.ACTIVE


def test_what_the_rules_forbid_the_database_forbids_too(citizen: Citizens) -> None:
    one, other = citizen(level=2)[0], citizen(level=2)[0]
    with db.transaction() as session:
        row_id = make.delegate(session, one, other, kind=Kind.FAMILY, actions=[Action.VIEW]).id
    for change in (
        "agent_id = principal_id",
        "actions = ARRAY['COLLECT']",
        "actions = ARRAY['EVERYTHING']",
        "actions = '{}'",
        "valid_until = NULL",
        "valid_until = valid_from",
        "kind = 'PROJECT'",
        "state = 'REVOKED'",
        "scope = 'ITEMS'",
        "state = 'OPEN'",
    ):
        with pytest.raises(DBAPIError), db.transaction() as session:
            session.execute(text(f"UPDATE delegation SET {change} WHERE id = :id"), {"id": row_id})
