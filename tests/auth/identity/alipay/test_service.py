"""Real name by one's own Alipay, through the sandbox's page and gateway (PROTOCOLS 3.3, DOMAIN 3.7)."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from auth.accounts import queries as people
from auth.accounts.alipay.errors import AlipayCodeInvalid
from auth.factors.alipay.errors import AlipayCancelled, AlipayNotHere
from auth.identity import queries
from auth.identity import service as identity
from auth.identity.alipay import service
from auth.identity.alipay.errors import AlipayComparesCardsOnly, AlipayOtherPerson
from auth.identity.errors import IdentityAlreadyProven
from auth.identity.models import IdentityEvidence
from auth.identity.rules import EvidenceType, Purpose
from auth.redirects.errors import RedirectExpired
from core import clock
from core.actors import Citizen
from core.db import transaction
from core.errors import AuthLevelTooLow, InvalidInput, RateLimited, Replayed, SourceUnavailable
from core.identifiers import DocumentNumber, DocumentType, IdentifierError, normalise_document
from tests.alipay_browser import login_code, visit
from tests.factories import auth as make
from tests.sandbox_client import Sandbox

pytestmark = pytest.mark.usefixtures("database")

NAME, NUMBER = "张伟", "330299199003070013"
CARD: DocumentNumber = normalise_document(DocumentType.RESIDENT_ID, NUMBER)

Make = Callable[..., tuple[Citizen, dict[str, str]]]


def start(actor: Citizen, **about: Any) -> tuple[str, str]:
    """Up to Alipay's page: its address and the state."""
    with transaction() as session:
        asked = service.question(session, actor=actor, device="Safari", return_to="/me", **about)
    verify_id = service.prepare(asked)
    with transaction() as session:
        return service.begin(session, actor=actor, asked=asked, verify_id=verify_id)


def finish(actor: Citizen, state: str, auth_code: str | None) -> identity.Outcome:
    """From the way back to what is recorded."""
    with transaction() as session:
        back = service.returned(session, actor=actor, state=state, auth_code=auth_code)
    answer = service.ask(back)
    with transaction() as session:
        outcome = service.record(session, actor=actor, answer=answer)
    return outcome.insist()


def evidence() -> list[tuple[str, str, str | None]]:
    with transaction() as session:
        rows = session.scalars(
            select(IdentityEvidence).where(IdentityEvidence.type == EvidenceType.ALIPAY).order_by(IdentityEvidence.id)
        )
        return [(row.provider, row.result, row.purpose) for row in rows]


def test_the_own_alipay_raises_level_2_to_3(sandbox: Sandbox, citizen: Make) -> None:
    actor, _ = citizen(level=2, name=NAME, document=CARD, channel="H5")
    url, state = start(actor)
    back = visit(url, "zhang-wei")
    assert back["state"] == state
    assert back["cert_verify_id"]
    outcome = finish(actor, state, back["auth_code"])
    assert outcome.level == 3
    assert make.now_of(actor).level == 3
    assert evidence() == [("alipay", "PASS", None)]
    with transaction() as session:
        row = session.scalars(select(IdentityEvidence).where(IdentityEvidence.type == EvidenceType.ALIPAY)).one()
        assert row.expires_at is not None
        assert timedelta(days=729) < row.expires_at - clock.now() < timedelta(days=731)


def test_from_level_1_it_proves_name_and_number_too(sandbox: Sandbox, citizen: Make) -> None:
    actor, _ = citizen(level=1, channel="APP")
    url, state = start(actor, name=NAME, document_number=NUMBER)
    outcome = finish(actor, state, login_code(sandbox, url, "zhang-wei"))
    assert outcome.level == 3
    with transaction() as session:
        person = people.person(session, actor.subject_id)
        assert (person.name, person.document_number) == (NAME, NUMBER)


@pytest.mark.parametrize("persona", ["li-na", "mismatch"])
def test_another_persons_alipay_is_refused_and_noted(sandbox: Sandbox, citizen: Make, persona: str) -> None:
    actor, _ = citizen(level=2, name=NAME, document=CARD, channel="H5")
    url, state = start(actor)
    with pytest.raises(AlipayOtherPerson):
        finish(actor, state, login_code(sandbox, url, persona))
    assert evidence() == [("alipay", "FAIL", None)]
    assert make.now_of(actor).level == 2


def test_an_old_name_or_one_that_was_mistyped_is_refused(sandbox: Sandbox, citizen: Make) -> None:
    actor, _ = citizen(level=1, channel="H5")
    url, state = start(actor, name="张卫", document_number=NUMBER)
    with pytest.raises(AlipayOtherPerson):
        finish(actor, state, login_code(sandbox, url, "zhang-wei"))
    with transaction() as session:
        assert people.person(session, actor.subject_id).name is None


@pytest.mark.parametrize("name", ["张*", "*伟", ""])
def test_a_masked_name_is_no_name(citizen: Make, name: str) -> None:
    actor, _ = citizen(level=1, channel="H5")
    with pytest.raises(IdentifierError):
        start(actor, name=name, document_number=NUMBER)


def test_below_level_2_the_person_says_who_it_is(citizen: Make) -> None:
    actor, _ = citizen(level=1, channel="H5")
    with pytest.raises(InvalidInput) as refusal:
        start(actor)
    assert set(refusal.value.fields) == {"name", "document_number"}


def test_the_phone_of_a_proven_person_opens_nothing_of_it(sandbox: Sandbox, citizen: Make) -> None:
    """ID-4: the session of a phone's new owner isn't asked about the old one's document, and proves its own."""
    old, _ = citizen(level=3, name="李娜", document=make.resident_id(7), phone="+8619912300003")
    actor = make.signed_in_by_phone("+8619912300003")
    assert (actor.subject_id, actor.level) == (old.subject_id, 1)
    with pytest.raises(InvalidInput):
        start(actor)
    url, state = start(actor, name=NAME, document_number=NUMBER)
    finish(actor, state, login_code(sandbox, url, "zhang-wei"))
    now = make.now_of(actor)
    assert now.subject_id != old.subject_id
    assert now.level == 3


def test_another_document_than_the_proven_one_is_refused(sandbox: Sandbox, citizen: Make) -> None:
    actor, _ = citizen(level=2, channel="H5")
    url, state = start(actor, name=NAME, document_number=NUMBER)
    with pytest.raises(IdentityAlreadyProven):
        finish(actor, state, login_code(sandbox, url, "zhang-wei"))


def test_alipay_compares_resident_id_cards_only(citizen: Make) -> None:
    passport = normalise_document(DocumentType.PASSPORT, "E12345678")
    actor, _ = citizen(level=2, name="JOHN SMITH", document=passport, channel="H5")
    with pytest.raises(AlipayComparesCardsOnly):
        start(actor)


@pytest.mark.parametrize("channel", ["WXMP", "WXOA", "KIOSK"])
def test_never_inside_wechat(citizen: Make, channel: str) -> None:
    actor, _ = citizen(level=2, channel=channel)
    with pytest.raises(AlipayNotHere):
        start(actor)
    browser, _ = citizen(level=2, channel="H5")
    with pytest.raises(AlipayNotHere), transaction() as session:
        service.question(session, actor=browser, device="MicroMessenger/8.0", return_to="/me")


def test_whoever_cancels_loses_nothing_and_may_go_on(sandbox: Sandbox, citizen: Make) -> None:
    actor, _ = citizen(level=2, name=NAME, document=CARD, channel="H5")
    url, state = start(actor)
    assert "auth_code" not in visit(url, None)
    with pytest.raises(AlipayCancelled):
        finish(actor, state, None)
    assert evidence() == []
    assert finish(actor, state, login_code(sandbox, url, "zhang-wei")).level == 3


def test_a_second_time_is_a_replay_and_records_nothing(sandbox: Sandbox, citizen: Make) -> None:
    actor, _ = citizen(level=2, name=NAME, document=CARD, channel="H5")
    url, state = start(actor)
    code = login_code(sandbox, url, "zhang-wei")
    with transaction() as session:
        back = service.returned(session, actor=actor, state=state, auth_code=code)
    answer = service.ask(back)
    for _ in range(2):
        try:
            with transaction() as session:
                service.record(session, actor=actor, answer=answer)
        except Replayed:
            break
    else:
        pytest.fail("recorded twice")
    with pytest.raises(Replayed):
        finish(actor, state, code)
    assert len(evidence()) == 1


def test_a_code_works_once_and_for_its_own_question_only(sandbox: Sandbox, citizen: Make) -> None:
    actor, _ = citizen(level=2, name=NAME, document=CARD, channel="H5")
    url, state = start(actor)
    _, other_state = start(actor)
    code = login_code(sandbox, url, "zhang-wei")
    with pytest.raises(SourceUnavailable):
        finish(actor, other_state, code)
    with pytest.raises(AlipayCodeInvalid):
        finish(actor, state, code)
    assert evidence() == []


def test_another_sessions_state_is_nothing(sandbox: Sandbox, citizen: Make) -> None:
    actor, _ = citizen(level=2, name=NAME, document=CARD, channel="H5")
    thief, _ = citizen(level=2, channel="H5")
    url, state = start(actor)
    code = login_code(sandbox, url, "zhang-wei")
    with pytest.raises(RedirectExpired):
        finish(thief, state, code)
    assert finish(actor, state, code).level == 3


def test_ten_minutes(sandbox: Sandbox, citizen: Make) -> None:
    actor, _ = citizen(level=2, name=NAME, document=CARD, channel="H5")
    url, state = start(actor)
    with transaction() as session:
        session.execute(text("UPDATE redirect_trip SET expires_at = now() - interval '1 second'"))
    with pytest.raises(RedirectExpired):
        finish(actor, state, login_code(sandbox, url, "zhang-wei"))


@pytest.mark.parametrize("method", ["preconsult", "oauth.token", "certverify.consult"])
@pytest.mark.parametrize("kind", ["error", "garbage", "wrong_signature"])
def test_alipay_away_changes_nothing(sandbox: Sandbox, citizen: Make, method: str, kind: str) -> None:
    actor, _ = citizen(level=2, name=NAME, document=CARD, channel="H5")
    if method == "preconsult":
        sandbox.fault("alipay", kind, path=method)
        with pytest.raises(SourceUnavailable):
            start(actor)
    else:
        url, state = start(actor)
        code = login_code(sandbox, url, "zhang-wei")
        sandbox.fault("alipay", kind, path=method)
        with pytest.raises(SourceUnavailable):
            finish(actor, state, code)
        # Whatever became of that code, the person may agree once more and is done.
        assert finish(actor, state, login_code(sandbox, url, "zhang-wei")).level == 3
    assert [result for _, result, _ in evidence()] in ([], ["PASS"])


def test_five_questions_an_hour(sandbox: Sandbox, citizen: Make) -> None:
    actor, _ = citizen(level=2, name=NAME, document=CARD, channel="H5")
    for _ in range(5):
        start(actor)
    with pytest.raises(RateLimited):
        start(actor)


# Level 4 -------------------------------------------------------------------------------------------------------------


def test_with_a_purpose_it_is_a_fresh_proof_of_that_act_once(sandbox: Sandbox, citizen: Make) -> None:
    actor, _ = citizen(level=3, name=NAME, document=CARD, channel="H5")
    url, state = start(actor, purpose="CLOSE_ACCOUNT")
    finish(actor, state, login_code(sandbox, url, "zhang-wei"))
    assert evidence() == [("alipay", "PASS", "CLOSE_ACCOUNT")]
    with pytest.raises(AuthLevelTooLow), transaction() as session:
        identity.spend_fresh_proof(session, actor=actor, purpose=Purpose.CHANGE_PHONE)
    with transaction() as session:
        identity.spend_fresh_proof(session, actor=actor, purpose=Purpose.CLOSE_ACCOUNT)
    with pytest.raises(AuthLevelTooLow), transaction() as session:
        identity.spend_fresh_proof(session, actor=actor, purpose=Purpose.CLOSE_ACCOUNT)


def test_a_fresh_proof_is_good_for_ten_minutes(sandbox: Sandbox, citizen: Make) -> None:
    actor, _ = citizen(level=3, name=NAME, document=CARD, channel="H5")
    url, state = start(actor, purpose="CLOSE_ACCOUNT")
    finish(actor, state, login_code(sandbox, url, "zhang-wei"))
    with (
        clock.shift(timedelta(minutes=10, seconds=1)),
        pytest.raises(AuthLevelTooLow),
        transaction() as session,
    ):
        identity.spend_fresh_proof(session, actor=actor, purpose=Purpose.CLOSE_ACCOUNT)


def test_name_and_number_are_neither_logged_nor_stored_in_clear(
    sandbox: Sandbox, citizen: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    actor, _ = citizen(level=1, channel="H5")
    url, state = start(actor, name=NAME, document_number=NUMBER)
    finish(actor, state, login_code(sandbox, url, "zhang-wei"))
    with transaction() as session:
        stored = session.scalar(text("SELECT string_agg(t::text, ' ') FROM redirect_trip t")) or ""
        assert queries.level(session, actor.subject_id, clock.now()) == 3
    ours = " ".join(record.getMessage() for record in caplog.records if not record.name.startswith("urllib3"))
    for secret in (NAME, NUMBER):
        assert secret not in stored + ours
