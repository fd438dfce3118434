"""Level 4: a fresh proof for one act, once, within ten minutes (DOMAIN 3.7); the cool-down after a change of phone (ID-13)."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import IntegrityError

from auth.accounts import service as accounts
from auth.accounts.errors import DocumentDiffers
from auth.identity import queries, service
from auth.identity.errors import CoolingDown
from auth.identity.models import IdentityEvidence
from auth.identity.rules import EvidenceType, Purpose, Result
from core import clock
from core.actors import Citizen
from core.db import transaction
from core.errors import AuthLevelTooLow
from core.web import access
from tests.factories import auth as make
from tests.factories.identity import CLERK, fresh_proof, level_of

pytestmark = pytest.mark.usefixtures("database")

SIGN, LOOK = Purpose.SIGN, Purpose.PROPERTY_LOOKUP


def spend(actor: Citizen, purpose: Purpose, app: Flask) -> UUID:
    with app.test_request_context(), transaction() as session:
        return service.spend_fresh_proof(session, actor=actor, purpose=purpose)


def test_a_fresh_proof_is_good_for_one_act_once(citizen: Callable[..., Any], app: Flask) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=3, document=card)
    made = fresh_proof(actor, SIGN, card)
    with transaction() as session:
        assert queries.has_fresh_proof(session, actor, SIGN, clock.now())
        assert not queries.has_fresh_proof(session, actor, LOOK, clock.now())
    with pytest.raises(AuthLevelTooLow):
        spend(actor, LOOK, app)
    assert spend(actor, SIGN, app) == made
    with pytest.raises(AuthLevelTooLow):
        spend(actor, SIGN, app)
    assert level_of(actor) == 3


def test_the_refusal_names_purpose_and_ways(citizen: Callable[..., Any], app: Flask) -> None:
    """RFC 9470: what is missing, and every way to it; the way of another kind of document is closed with the reason."""
    actor, _ = citizen(level=3)
    with pytest.raises(AuthLevelTooLow) as refused:
        spend(actor, SIGN, app)
    extra = refused.value.extra
    assert (extra["needed_level"], extra["level"], extra["purpose"]) == (4, 3, "SIGN")
    ways = {way["way"]: way["open"] for way in extra["ways"]}  # type: ignore[attr-defined]
    assert ways == {"HALL_VISIT": True, "NETID_PIN": True, "ALIPAY_FRESH": False, "FACE_FRESH": False}


def test_it_ends_after_ten_minutes(citizen: Callable[..., Any], app: Flask) -> None:
    """ID-2."""
    card = make.resident_id()
    actor, _ = citizen(level=3, document=card)
    fresh_proof(actor, SIGN, card)
    fresh_proof(actor, LOOK, card)
    with clock.shift(timedelta(minutes=9, seconds=50)):
        spend(actor, SIGN, app)
    with clock.shift(timedelta(minutes=10, seconds=1)), pytest.raises(AuthLevelTooLow):
        spend(actor, LOOK, app)


def test_an_act_that_fails_uses_nothing_up(citizen: Callable[..., Any], app: Flask) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=3, document=card)
    fresh_proof(actor, SIGN, card)
    with pytest.raises(ZeroDivisionError), app.test_request_context(), transaction() as session:
        service.spend_fresh_proof(session, actor=actor, purpose=SIGN)
        raise ZeroDivisionError
    spend(actor, SIGN, app)


def test_spending_costs_few_queries(citizen: Callable[..., Any], app: Flask, count_queries: Callable[[], Any]) -> None:
    """Proof, device, phone, use and audit, however much evidence there is."""
    card = make.resident_id()
    actor, _ = citizen(level=3, document=card)
    for _ in range(5):
        fresh_proof(actor, LOOK, card)
    with count_queries() as queries_made:
        spend(actor, LOOK, app)
    assert len(queries_made) <= 6


def test_two_acts_that_race_for_one_proof(citizen: Callable[..., Any], app: Flask) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=3, document=card)
    fresh_proof(actor, SIGN, card)
    together, spent, refused = threading.Barrier(4), [], []

    def run() -> None:
        together.wait()
        try:
            spent.append(spend(actor, SIGN, app))
        except AuthLevelTooLow as problem:
            refused.append(problem)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(spent), len(refused)) == (1, 3)


def test_it_belongs_to_its_session_unless_a_clerk_made_it(citizen: Callable[..., Any], app: Flask) -> None:
    """A thief's session of the same account can't use what the owner has just proven on another device."""
    phone, card = make.phone_number(), make.resident_id()
    owner, _ = citizen(level=3, document=card, phone=phone)
    other = Citizen(owner.subject_id, make.signed_in_by_phone(phone).session_id, 3, "H5")
    fresh_proof(owner, SIGN, card)
    with pytest.raises(AuthLevelTooLow):
        spend(other, SIGN, app)
    spend(owner, SIGN, app)
    with transaction() as session:
        service.record_counter_check(
            session, actor=CLERK, subject_id=owner.subject_id, document=card, purpose=Purpose.CLOSE_ACCOUNT
        )
    spend(other, Purpose.CLOSE_ACCOUNT, app)


def test_below_level_3_it_is_worth_nothing(citizen: Callable[..., Any], app: Flask) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=2, document=card)
    fresh_proof(actor, SIGN, card)
    with pytest.raises(AuthLevelTooLow):
        spend(actor, SIGN, app)
    spend(make.now_of(actor), SIGN, app)


def test_name_and_number_are_never_a_fresh_proof(citizen: Callable[..., Any], app: Flask) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=3, document=card)
    made = fresh_proof(actor, SIGN, card, kind=EvidenceType.NAME_NUMBER)
    with transaction() as session:
        row = session.get_one(IdentityEvidence, made)
        assert (row.purpose, row.fresh_until) == (None, None)
    with pytest.raises(AuthLevelTooLow):
        spend(actor, SIGN, app)


def test_a_proof_of_another_document_is_not_recorded(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=3)
    with pytest.raises(DocumentDiffers):
        fresh_proof(actor, SIGN, make.resident_id())


def test_a_failed_one_counts_for_nothing(citizen: Callable[..., Any], app: Flask) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=3, document=card)
    with transaction() as session:
        service.record_proof(
            session, subject_id=actor.subject_id, kind=EvidenceType.FACE, provider="tests", document=card,
            result=Result.FAIL, purpose=SIGN, session_id=actor.session_id,
        )  # fmt: skip
    with pytest.raises(AuthLevelTooLow):
        spend(actor, SIGN, app)
    assert level_of(actor) == 3


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"purpose": "MAGIC", "fresh_until": clock.now()}, "purpose_known"),
        ({"purpose": "SIGN"}, "fresh_has_purpose"),
        ({"fresh_until": clock.now()}, "fresh_has_purpose"),
        ({"purpose": "SIGN", "fresh_until": clock.now(), "result": "FAIL"}, "fresh_has_passed"),
        ({"purpose": "SIGN", "fresh_until": clock.now(), "used_at": clock.now()}, "used_while_fresh"),
    ],
)
def test_the_database_refuses_what_makes_no_sense(
    citizen: Callable[..., Any], values: dict[str, Any], constraint: str
) -> None:
    actor, _ = citizen(level=1)
    moment = clock.now()
    row = {"subject_id": actor.subject_id, "type": "HALL", "provider": "tests", "subject_hash": b"x", "result": "PASS"}
    values = {key: moment if key.endswith(("_at", "_until")) else value for key, value in values.items()}
    with pytest.raises(IntegrityError, match=constraint), transaction() as session:
        session.add(IdentityEvidence(**(row | {"at": moment} | values)))


# After a change of phone (ID-13) ---------------------------------------------------------------------------------------


def changed_phone(actor: Citizen) -> None:
    with transaction() as session:
        accounts.release_phones(session, actor=CLERK, subject_id=actor.subject_id)
        accounts.bind_phone(session, subject_id=actor.subject_id, phone_e164=make.phone_number())


def test_property_waits_on_a_new_device_after_a_change_of_phone(citizen: Callable[..., Any], app: Flask) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=3, document=card)
    changed_phone(actor)
    with transaction() as session:
        wechat = make.sign_in_again(session, actor)
    new = make.now_of(wechat)
    fresh_proof(new, LOOK, card)
    with pytest.raises(CoolingDown) as refused:
        spend(new, LOOK, app)
    assert str(refused.value.extra["until"]).endswith("+08:00")
    # Other acts go on, the device that was there before goes on, a clerk's proof goes on, and a day later all does.
    fresh_proof(new, Purpose.CLOSE_ACCOUNT, card)
    spend(new, Purpose.CLOSE_ACCOUNT, app)
    fresh_proof(actor, LOOK, card)
    spend(actor, LOOK, app)
    with transaction() as session:
        service.record_counter_check(session, actor=CLERK, subject_id=actor.subject_id, document=card, purpose=SIGN)
    spend(new, SIGN, app)
    with clock.shift(timedelta(hours=24, seconds=1)):
        fresh_proof(new, LOOK, card)
        spend(new, LOOK, app)


def test_the_first_phone_is_no_change(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=3)
    with transaction() as session:
        assert queries.cooling_down_until(session, actor.subject_id, clock.now()) is None
    changed_phone(actor)
    with transaction() as session:
        until = queries.cooling_down_until(session, actor.subject_id, clock.now())
    assert until is not None
    assert timedelta(hours=23, minutes=59) < until - clock.now() <= timedelta(hours=24)


# Routes -------------------------------------------------------------------------------------------------------------------


def test_a_route_of_level_4_asks_for_its_purpose(client: FlaskClient, citizen: Callable[..., Any], app: Flask) -> None:
    """The declaration only looks; the service uses the proof up."""

    @access.citizen(level=4, purpose=SIGN)
    def view() -> str:
        return str(access.citizen_actor().level)

    card = make.resident_id()
    actor, headers = citizen(level=3, document=card)
    _, low = citizen(level=1)
    for given, level in ((headers, 3), (low, 1)):
        with app.test_request_context(headers=given), pytest.raises(AuthLevelTooLow) as refused:
            view()
        assert (refused.value.extra["level"], refused.value.extra["purpose"]) == (level, "SIGN")
        assert 'acr_values="level4"' in refused.value.headers["WWW-Authenticate"]
    fresh_proof(actor, SIGN, card)
    for _ in range(2):
        with app.test_request_context(headers=headers):
            assert view() == "3"


@pytest.mark.parametrize("wanted", [{"level": 4}, {"level": 3, "purpose": "SIGN"}])
def test_level_and_purpose_go_together(wanted: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="purpose"):
        access.citizen(**wanted)
