"""Every pair of states; every action by kind; every scope; ages to the minute."""

from datetime import date, datetime, timedelta
from itertools import product
from uuid import uuid4

import pytest

from auth.delegation import rules
from auth.delegation.rules import ItemFacts, Kind, OwnAct, Scope, Standing, State
from core.actors import Acting, Action, Capacity
from core.clock import SHANGHAI
from core.errors import DelegationOutOfScope, StateConflict

NOW = datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
S = State
LEGAL = {
    (S.OFFERED, S.ACCEPTED), (S.OFFERED, S.ACTIVE), (S.OFFERED, S.DECLINED), (S.OFFERED, S.REVOKED),
    (S.ACCEPTED, S.ACTIVE), (S.ACCEPTED, S.DECLINED), (S.ACCEPTED, S.REVOKED),
    (S.ACTIVE, S.DISPUTED), (S.ACTIVE, S.REVOKED), (S.ACTIVE, S.RENOUNCED),
    (S.DISPUTED, S.ACTIVE), (S.DISPUTED, S.REVOKED), (S.DISPUTED, S.RENOUNCED),
}  # fmt: skip
HOUSE = ItemFacts("NB-002", "Z4", agent_allowed=True, agent_friendly=False, biometric=False)
CARD = ItemFacts("NB-111", "Z7", agent_allowed=True, agent_friendly=True, biometric=False, for_organisations=False)
MARRIAGE = ItemFacts("NB-100", "Z9", agent_allowed=False, agent_friendly=False, biometric=False)
PASSPORT = ItemFacts("NB-052", "Z6", agent_allowed=True, agent_friendly=False, biometric=True, for_organisations=False)
LICENCE = ItemFacts("NB-041", "Z3", agent_allowed=True, agent_friendly=False, biometric=False, for_persons=False)


@pytest.mark.parametrize(("state", "to"), list(product(State, State)))
def test_every_pair_of_states(state: State, to: State) -> None:
    if (state, to) in LEGAL:
        rules.check_move(state, to)
    else:
        with pytest.raises(StateConflict):
            rules.check_move(state, to)


@pytest.mark.parametrize(("kind", "action"), list(product(Kind, Action)))
def test_every_action_of_every_kind(kind: Kind, action: Action) -> None:
    """A family delegation hands out no results (CR-2), an officer files and tracks only (DG-8)."""
    refused = {
        (Kind.FAMILY, Action.COLLECT), (Kind.PROJECT, Action.COLLECT), (Kind.PROJECT, Action.PAY),
    }  # fmt: skip
    if (kind, action) in refused:
        with pytest.raises(DelegationOutOfScope):
            rules.allowed_actions(kind, [Action.VIEW, action])
    else:
        assert rules.allowed_actions(kind, [action]) == {action}


def _acting(capacity: Capacity, scope: Scope, *values: str, organisation: bool = False) -> Acting:
    return Acting(uuid4(), capacity, frozenset(Action), scope, frozenset(values), for_organisation=organisation)


@pytest.mark.parametrize(
    ("scope", "values", "inside"),
    [
        (Scope.ITEMS, ("NB-002",), {"NB-002"}),
        (Scope.KINDS, ("Z7", "Z3"), {"NB-111"}),
        (Scope.AGENT_FRIENDLY, (), {"NB-111"}),
        (Scope.ALL, (), {"NB-002", "NB-111"}),
    ],
)
def test_every_scope_of_an_agent(scope: Scope, values: tuple[str, ...], inside: set[str]) -> None:
    """Marriage never, fingerprints never, a company's licence not for a person (DG-3)."""
    acting = _acting(Capacity.AGENT, scope, *values)
    items = (HOUSE, CARD, MARRIAGE, PASSPORT, LICENCE)
    assert {item.item_id for item in items if rules.may(acting, item)} == inside


@pytest.mark.parametrize("capacity", [c for c in Capacity if c is not Capacity.SELF])
def test_who_may_come_along_to_a_fingerprint(capacity: Capacity) -> None:
    company = capacity in {Capacity.LEGAL_REPRESENTATIVE, Capacity.ADMINISTRATOR, Capacity.HANDLER}
    expected = capacity is Capacity.GUARDIAN or company
    assert rules.may(_acting(capacity, Scope.ALL), PASSPORT) is expected
    assert not rules.may(_acting(capacity, Scope.ALL), MARRIAGE)


def test_a_family_delegation_is_for_agent_friendly_items_even_when_it_names_others() -> None:
    acting = _acting(Capacity.FAMILY, Scope.ITEMS, "NB-002", "NB-111")
    assert [rules.may(acting, item) for item in (HOUSE, CARD)] == [False, True]


def test_an_organisation_has_no_personal_matters_and_a_person_no_company_matters() -> None:
    handler = _acting(Capacity.HANDLER, Scope.ALL, organisation=True)
    assert [rules.may(handler, item) for item in (HOUSE, CARD, LICENCE)] == [True, False, True]


def _standing(state: State = S.ACTIVE, **more: object) -> Standing:
    facts = {"valid_from": NOW, "valid_until": NOW + timedelta(days=1), "born_on": None, **more}
    now = facts.pop("now", NOW)
    return rules.standing(state, now, **facts)  # type: ignore[arg-type]


def test_what_a_delegation_is_worth() -> None:
    assert _standing() is Standing.LIVE
    assert _standing(now=NOW - timedelta(seconds=1)) is Standing.NOT_YET
    assert _standing(valid_until=NOW) is Standing.ENDED
    assert _standing(valid_until=None) is Standing.LIVE
    assert {_standing(state) for state in (S.OFFERED, S.ACCEPTED)} == {Standing.NOT_YET}
    assert {_standing(state) for state in (S.DECLINED, S.REVOKED, S.RENOUNCED)} == {Standing.ENDED}
    assert _standing(S.DISPUTED) is Standing.DISPUTED


def test_the_link_ends_at_midnight_of_the_eighteenth_birthday_in_shanghai() -> None:
    born = date(2008, 11, 25)
    last = datetime(2026, 11, 24, 23, 59, 59, tzinfo=SHANGHAI)
    assert _standing(born_on=born, valid_until=None, now=last) is Standing.LIVE
    assert _standing(born_on=born, valid_until=None, now=last + timedelta(seconds=1)) is Standing.ENDED


def test_who_was_born_on_29_february_is_of_age_on_1_march() -> None:
    born = date(2008, 2, 29)
    assert not rules.of_age(born, datetime(2026, 2, 28, 23, 59, tzinfo=SHANGHAI))
    assert rules.of_age(born, datetime(2026, 3, 1, tzinfo=SHANGHAI))


@pytest.mark.parametrize(
    ("age", "own", "consent"),
    [
        (0, OwnAct.NEVER, True),
        (7, OwnAct.NEVER, True),
        (8, OwnAct.WITH_AGREEMENT, True),
        (13, OwnAct.WITH_AGREEMENT, True),
        (14, OwnAct.WITH_AGREEMENT, False),
        (17, OwnAct.WITH_AGREEMENT, False),
        (18, OwnAct.FREE, False),
        (80, OwnAct.FREE, False),
    ],
)
def test_ages(age: int, own: OwnAct, consent: bool) -> None:
    born = date(2026 - age, 11, 24)
    assert rules.own_act(born, NOW) is own
    assert rules.needs_minor_consent(born, NOW) is consent


def test_somebody_whose_birth_date_nobody_knows_counts_as_of_age() -> None:
    assert rules.own_act(None, NOW) is OwnAct.FREE
    assert not rules.needs_minor_consent(None, NOW)


def test_a_code_survives_being_heard() -> None:
    code = rules.code_from(range(rules.CODE_LENGTH))
    assert len(code) == rules.CODE_LENGTH
    assert rules.plain_code(f" {code[:4].lower()}-{code[4:]} ") == code
    assert not set("01IOLU") & set(rules.CODE_ALPHABET)


def test_an_end_is_never_beyond_what_the_kind_allows() -> None:
    far = NOW + timedelta(days=10_000)
    assert rules.ends_at(Kind.MANDATE, NOW, far) == NOW + timedelta(days=366)
    assert rules.ends_at(Kind.MANDATE, NOW, NOW + timedelta(days=1)) == NOW + timedelta(days=1)
    assert rules.ends_at(Kind.GUARDIAN, NOW, None) is None
