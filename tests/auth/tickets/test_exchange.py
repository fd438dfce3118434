"""Tickets over HTTP: one use, 60 s, one client, one session; what a wrong one gets is always the same (ID-7)."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text, update
from werkzeug.test import TestResponse

from auth.consent.errors import ConsentRequired
from auth.oidc.clients import service as registry
from auth.oidc.consents.rules import Field
from auth.sessions import service as sessions
from auth.tickets import jobs, service
from auth.tickets.errors import TargetNotAllowed
from auth.tickets.models import SsoTicket
from core import clock
from core.actors import Citizen, System
from core.audit import AuditEntry
from core.db import transaction
from core.errors import InvalidInput, NotFound, StateConflict
from tests.factories import auth as make
from tests.factories import oidc
from tests.factories.oidc import Site

pytestmark = pytest.mark.usefixtures("database")

PATH = "/oidc/tickets/exchange"
GOTO = "https://gjj.example.cn/app/balance"
REFUSED = (400, {"error": "invalid_ticket"})


def bridged(**wanted: Any) -> Site:
    site = oidc.register(**wanted)
    with transaction() as session:
        service.allow(
            session, actor=System("tests"), client_id=site.client_id, addresses=["https://gjj.example.cn/app/"]
        )
    return site


def issue(actor: Citizen, site: Site, agreed: tuple[Field, ...] = tuple(Field), goto: str = GOTO) -> str:
    with transaction() as session:
        issued = service.issue(
            session, actor=actor, client_id=site.client_id, goto=goto, agreed=agreed, now=clock.wall()
        )
    assert issued.expires_at - clock.wall() <= timedelta(seconds=60)
    return oidc.params(issued.address)["ticket"]


def exchange(http: FlaskClient, site: Site, ticket: str) -> TestResponse:
    return http.post(PATH, data={"ticket": ticket}, headers=site.basic)


def said(answer: TestResponse) -> tuple[int, Any]:
    return answer.status_code, answer.get_json()


def test_the_client_gets_what_it_may_see(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    card, phone = make.resident_id(), make.phone_number()
    actor, _ = citizen(level=3, name="欧阳小明", document=card, phone=phone)
    site = bridged(max_level=2)
    answer = exchange(client, site, issue(actor, site))
    body = answer.get_json()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert body.pop("sub") not in (str(actor.subject_id), card.number)
    assert body.pop("sid")
    assert body == {
        "acr": "level2",
        "goto": GOTO,
        "name": "欧阳小明",
        "birthdate": card.birth_date.isoformat() if card.birth_date else None,
        "phone_number": phone,
        "phone_number_verified": True,
        "document_type": "111",
        "document_number": card.number,
        "identity_level": 2,
    }


def test_a_client_registered_for_less_gets_less(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=3)
    site = bridged(scopes=("openid", "level"), max_level=3)
    body = exchange(client, site, issue(actor, site)).get_json()
    assert set(body) == {"sub", "sid", "acr", "goto", "identity_level"}
    assert body["acr"] == "level3"


def test_two_clients_know_a_person_by_different_names(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    subs = [
        exchange(client, site, issue(actor, site)).get_json()["sub"]
        for site in (bridged(sector="one"), bridged(sector="two"))
    ]
    assert len(set(subs)) == 2


def test_consent_comes_first_and_says_to_what(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    site = bridged(scopes=("openid", "profile", "phone"))
    with pytest.raises(ConsentRequired) as refused:
        issue(actor, site, agreed=(Field.NAME,))
    assert refused.value.extra["client"] == {"zh": "宁波税务", "en": "Ningbo Taxation", "department": "D09"}
    fields = refused.value.extra["fields"]
    assert {one["field"] for one in fields} == {"name", "phone_number"}  # type: ignore[attr-defined]
    issue(actor, site)
    # What was agreed to once isn't asked again.
    issue(actor, site, agreed=())


def test_an_expired_ticket(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    site = bridged()
    ticket = issue(actor, site)
    with transaction() as session:
        session.execute(update(SsoTicket).values(expires_at=SsoTicket.expires_at - timedelta(seconds=61)))
    assert said(exchange(client, site, ticket)) == REFUSED


def test_a_ticket_shown_twice_kills_what_came_of_it(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    site = bridged(backchannel_logout_uri="https://gjj.example.cn/backchannel")
    ticket = issue(actor, site)
    sid = exchange(client, site, ticket).get_json()["sid"]
    assert said(exchange(client, site, ticket)) == REFUSED
    with transaction() as session:
        ended = session.execute(text("SELECT ended_at FROM oidc_sign_on WHERE id = :sid"), {"sid": sid}).scalar_one()
        told = session.execute(
            text("SELECT args ->> 'sid' FROM procrastinate_jobs WHERE task_name = 'oidc.tell_signed_out'")
        ).scalars()
        results = session.execute(
            text("SELECT result FROM audit_entry WHERE action = 'sso_ticket.exchange' ORDER BY seq")
        ).scalars()
        assert ended is not None
        assert list(told) == [sid]
        assert list(results) == ["ok", "reused"]
    # The person stays signed in here.
    assert make.now_of(actor).subject_id == actor.subject_id


def test_another_clients_ticket_is_left_as_it_is(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    site, thief = bridged(), bridged()
    ticket = issue(actor, site)
    assert said(exchange(client, thief, ticket)) == REFUSED
    assert exchange(client, site, ticket).status_code == 200


def test_a_session_that_ended_meanwhile(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    site = bridged()
    ticket = issue(actor, site)
    with transaction() as session:
        sessions.sign_out(session, actor=actor)
    assert said(exchange(client, site, ticket)) == REFUSED


def test_signing_out_reaches_the_client(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    site = bridged(backchannel_logout_uri="https://gjj.example.cn/backchannel")
    sid = exchange(client, site, issue(actor, site)).get_json()["sid"]
    with transaction() as session:
        sessions.sign_out(session, actor=actor)
    with transaction() as session:
        told = session.execute(
            text("SELECT args ->> 'sid' FROM procrastinate_jobs WHERE task_name = 'oidc.tell_signed_out'")
        ).scalars()
        assert list(told) == [sid]


def test_of_many_at_once_one_wins_at_most_and_nothing_stands(app: Flask, citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    site = bridged()
    ticket = issue(actor, site)
    answers: list[tuple[int, Any]] = []
    barrier = threading.Barrier(6)

    def race() -> None:
        http = app.test_client()
        barrier.wait()
        answers.append(said(exchange(http, site, ticket)))

    threads = [threading.Thread(target=race) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in answers) == [200, 400, 400, 400, 400, 400]
    assert all(body == {"error": "invalid_ticket"} for status, body in answers if status == 400)
    with transaction() as session:
        standing = session.execute(text("SELECT count(*) FROM oidc_sign_on WHERE ended_at IS NULL")).scalar_one()
    assert standing == 0


@pytest.mark.parametrize("ticket", ["", "nonsense", "x" * 500])
def test_a_made_up_ticket(client: FlaskClient, ticket: str) -> None:
    assert said(exchange(client, bridged(), ticket)) == REFUSED


def test_a_client_must_prove_who_it_is(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    site = bridged()
    ticket = issue(actor, site)
    wrong = Site(site.client_id, "wrong")
    for headers in ({}, wrong.basic):
        answer = client.post(PATH, data={"ticket": ticket}, headers=headers)
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert exchange(client, site, ticket).status_code == 200
    twice = client.post(PATH, data={"ticket": [ticket, ticket]}, headers=site.basic)
    assert twice.status_code == 400


def test_a_disabled_client_and_one_without_the_bridge(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    site, plain = bridged(), oidc.register()
    with pytest.raises(NotFound):
        issue(actor, plain)
    ticket = issue(actor, site)
    assert said(exchange(client, plain, ticket)) == REFUSED
    with transaction() as session:
        registry.set_active(session, actor=System("tests"), client_id=site.client_id, active=False)
    assert exchange(client, site, ticket).status_code == 401
    with pytest.raises(NotFound):
        issue(actor, site)


def test_targets_are_on_the_list(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    site = bridged()
    for goto in ("https://gjj.example.cn/admin", "https://evil.cn/app/", "https://gjj.example.cn/app/../admin"):
        with pytest.raises(TargetNotAllowed):
            issue(actor, site, goto=goto)


def test_the_list_itself_is_checked() -> None:
    site, public = oidc.register(), oidc.public_site()
    for client_id, addresses, refusal in (
        (site.client_id, ["http://gjj.example.cn/"], InvalidInput),
        (site.client_id, [], InvalidInput),
        (public.client_id, ["https://gjj.example.cn/"], StateConflict),
        ("nobody", ["https://gjj.example.cn/"], NotFound),
    ):
        with pytest.raises(refusal), transaction() as session:
            service.allow(session, actor=System("tests"), client_id=client_id, addresses=addresses)


def test_tickets_are_stored_as_hashes_and_forgotten(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    ticket = issue(actor, bridged())
    with transaction() as session:
        (row,) = session.execute(text("SELECT token_hash FROM sso_ticket")).scalars()
        assert ticket.encode() not in bytes(row)
        facts = session.query(AuditEntry.facts).filter(AuditEntry.action == "sso_ticket.issue").scalar()
        assert ticket not in str(facts)
    jobs.prune()
    with transaction() as session:
        assert session.execute(text("SELECT count(*) FROM sso_ticket")).scalar_one() == 1
        session.execute(update(SsoTicket).values(expires_at=SsoTicket.expires_at - timedelta(days=1, minutes=2)))
    jobs.prune()
    with transaction() as session:
        assert session.execute(text("SELECT count(*) FROM sso_ticket")).scalar_one() == 0


def test_deep_links_go_to_listed_addresses_only(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    """ID-8 over HTTP: `sp` and `goto`."""
    site = bridged(scopes=("openid",))
    _, headers = citizen(level=1)
    url = "/api/v1/sso-tickets"
    opened = client.post(url, json={"sp": site.client_id, "goto": GOTO}, headers=headers).get_json()
    assert opened["address"].startswith(GOTO + "?ticket=")
    assert exchange(client, site, oidc.params(opened["address"])["ticket"]).status_code == 200
    for sp, goto, status, code in (
        (site.client_id, "https://evil.cn/app/", 422, "TARGET_NOT_ALLOWED"),
        ("nobody", GOTO, 404, "NOT_FOUND"),
        (oidc.register().client_id, GOTO, 404, "NOT_FOUND"),
    ):
        answer = client.post(url, json={"sp": sp, "goto": goto}, headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    _, kiosk = citizen(level=1, channel="KIOSK")
    assert client.post(url, json={"sp": site.client_id, "goto": GOTO}, headers=kiosk).status_code == 403
    assert client.post(url, json={"sp": site.client_id, "goto": GOTO}).status_code == 401
