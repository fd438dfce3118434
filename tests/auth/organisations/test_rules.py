"""Roles: every pair of states, who appoints whom, how long the registry's word lasts."""

from datetime import datetime, timedelta
from itertools import product

import pytest

from auth.organisations import rules
from auth.organisations.rules import APPOINTS, Role, RoleState
from core.clock import SHANGHAI
from core.errors import StateConflict

NOW = datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
S = RoleState
LEGAL = {(S.OFFERED, S.ACTIVE), (S.OFFERED, S.DECLINED), (S.OFFERED, S.ENDED), (S.ACTIVE, S.ENDED)}


@pytest.mark.parametrize(("state", "to"), list(product(RoleState, RoleState)))
def test_every_pair_of_states(state: RoleState, to: RoleState) -> None:
    if (state, to) in LEGAL:
        rules.check_move(state, to)
    else:
        with pytest.raises(StateConflict):
            rules.check_move(state, to)


def test_nobody_appoints_a_representative_and_handlers_appoint_nobody() -> None:
    assert not any(Role.LEGAL_REPRESENTATIVE in appointed for appointed in APPOINTS.values())
    assert APPOINTS[Role.HANDLER] == frozenset()
    assert APPOINTS[Role.ADMINISTRATOR] == {Role.HANDLER}


def test_how_old_the_registrys_word_may_be() -> None:
    day = timedelta(days=1)
    assert not rules.must_ask(NOW, NOW + day - timedelta(seconds=1))
    assert rules.must_ask(NOW, NOW + day)
    assert not rules.too_old(NOW, NOW + 3 * day - timedelta(seconds=1))
    assert rules.too_old(NOW, NOW + 3 * day)


def test_when_a_role_counts() -> None:
    def live(state: RoleState = S.ACTIVE, until: datetime | None = None, now: datetime = NOW) -> bool:
        return rules.is_live(state, now, valid_from=NOW, valid_until=until)

    assert live()
    assert live(until=NOW + timedelta(seconds=1))
    assert not live(until=NOW)
    assert not live(now=NOW - timedelta(seconds=1))
    assert not any(live(state) for state in (S.OFFERED, S.DECLINED, S.ENDED))


def test_an_appointment_ends() -> None:
    assert rules.appointment_end(NOW, None) == NOW + timedelta(days=3 * 366)
    assert rules.appointment_end(NOW, NOW + timedelta(days=2)) == NOW + timedelta(days=2)
