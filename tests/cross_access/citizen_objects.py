"""Objects of citizens, each of a fresh owner, in a state in which the call works."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from auth.delegation import service as delegation
from auth.delegation.guardians import service as guardians
from auth.delegation.models import Delegation
from auth.delegation.rules import Kind, Scope
from auth.delegation.service import Wish
from auth.identity.rules import Purpose
from auth.oidc.consents import queries as consents
from auth.organisations import service as organisations
from auth.personal_data.corrections import service as corrections
from auth.personal_data.corrections.rules import Kind as CorrectionKind
from auth.personal_data.exports import service as exports
from auth.sessions import service as sessions
from auth.sessions.models import LoginEvent
from auth.sessions.rules import LoginResult, Method, Origin
from casework.cases import service as cases_service
from casework.files import service as files
from casework.places.rules import hall_id
from core import clock
from core.actors import Action
from core.db import transaction
from tests.cross_access.registry import Target, entry
from tests.cross_access.world import Owner, World
from tests.factories import appointments, cases, delivery, notifications, oidc, payments, prereview
from tests.factories import auth as people
from tests.factories import delegation as acting
from tests.factories import identity as proofs


@entry("account.end_session")
def a_device(world: World, endpoint: str) -> Target:
    owner = world.owner()
    with transaction() as session:
        other = people.sign_in_again(session, owner.actor)
    return Target({"session_id": other.session_id}, owner.headers)


@entry("account.not_me")
def a_sign_in(world: World, endpoint: str) -> Target:
    owner = world.owner()
    with transaction() as session:
        sessions.note(
            session,
            subject_id=owner.actor.subject_id,
            origin=Origin("WXMP"),
            method=Method.WECHAT,
            result=LoginResult.OK,
        )
        session.flush()
        found = session.scalars(select(LoginEvent.id).where(LoginEvent.subject_id == owner.actor.subject_id)).first()
    return Target({"sign_in_id": found}, owner.headers)


@entry(
    "appointments.get_appointment",
    "appointments.cancel",
    "appointments.change",
    "appointments.show_qr",
    "appointments.show_ticket",
    "booking_changes.item_change",
    "booking_changes.adopt_version",
)
def a_booking(world: World, endpoint: str) -> Target:
    owner = world.owner()
    with transaction() as session:
        booked = appointments.book(session, owner.actor, appointments.slot(session))
        other = appointments.slot(session, appointments.at(14))
    body: Any = {
        "appointments.change": {"slot_id": str(other)},
        "booking_changes.adopt_version": {"version_id": str(uuid4())},
    }.get(endpoint)
    target = Target({"appointment_id": booked.id}, owner.headers, body, agent=world.agent_out_of_scope(owner))
    if endpoint == "appointments.show_ticket":
        appointments.arrive(world.clerk[0], booked)
        target.moment = appointments.at(9, 1)
    return target


@entry("appointments.give_up_hold")
def a_hold(world: World, endpoint: str) -> Target:
    owner = world.owner()
    with transaction() as session:
        held = appointments.hold(session, owner.actor, appointments.slot(session))
    return Target({"hold_id": held.id}, owner.headers, agent=world.agent_out_of_scope(owner))


@entry("authorisations.withdraw")
def an_authorisation(world: World, endpoint: str) -> Target:
    owner = world.owner()
    oidc.allow(owner.actor, oidc.register())
    with transaction() as session:
        page = consents.authorisations(session, subject_id=owner.actor.subject_id, args={"limit": 20, "cursor": None})
    return Target({"authorisation_id": page.items[0].id}, owner.headers)


def _case(world: World, owner: Owner) -> UUID:
    with transaction() as session:
        return cases.accepted(session, owner.actor, world.clerk[0]).id


@entry(
    "prepayment.get_bill",
    "prepayment.make_pay_code",
    "prepayment.start_order",
    "prepayment.get_voucher",
    "prepayment.get_order",
)
def a_bill(world: World, endpoint: str) -> Target:
    owner = world.owner()
    case_id = _case(world, owner)
    with transaction() as session:
        bill = payments.issue(session, owner.actor.subject_id, matter=("case", case_id))
    agent = world.agent_out_of_scope(owner)
    if endpoint in {"prepayment.get_voucher", "prepayment.get_order"}:
        order = payments.start(owner.actor, bill)
        payments.reports_paid(order, trade_no=str(order.id.int)[:28])
        if endpoint == "prepayment.get_order":
            return Target({"order_id": order.id}, owner.headers, agent=agent)
    body = {"scene": "APP"} if endpoint == "prepayment.start_order" else None
    return Target({"bill_id": bill.id}, owner.headers, body, agent=agent)


@entry("cases.get_case", "cases.withdraw", "cases.answer_correction", "cases.choose_hall")
def a_case(world: World, endpoint: str) -> Target:
    owner = world.owner()
    body: dict[str, Any] | None = None
    with transaction() as session:
        if endpoint == "cases.answer_correction":
            case = cases.received(session, owner.actor, world.clerk[0])
            cases_service.request_correction(
                session, actor=world.clerk[0], case_id=case.id, defects=["缺身份证明"], supervisor_reason=""
            )
            body = {"file_ids": [str(prereview.upload(session, owner.actor).id)]}
        else:
            case = cases.accepted(session, owner.actor, world.clerk[0])
            if endpoint == "cases.choose_hall":
                body = {"hall_id": str(hall_id("NB-330203"))}
    return Target({"case_id": case.id}, owner.headers, body, agent=world.agent_out_of_scope(owner))


@entry("delegation.get_delegation", "delegation.end")
def a_delegation(world: World, endpoint: str) -> Target:
    owner, agent = world.owner(), world.owner()
    with transaction() as session:
        row = acting.delegate(session, owner.actor, agent.actor, items=[acting.OTHER])
    return Target({"delegation_id": row.id}, owner.headers, agent=world.agent_out_of_scope(owner))


@entry("delegation.confirm", "delegation.resend_code", "delegation.sign")
def an_offer_taken(world: World, endpoint: str) -> Target:
    owner, agent = world.owner(), world.owner()
    family = endpoint != "delegation.sign"
    scope, values = (Scope.AGENT_FRIENDLY, []) if family else (Scope.ITEMS, [acting.OTHER])
    wish = Wish(Kind.FAMILY if family else Kind.MANDATE, scope, values, [Action.SUBMIT, Action.VIEW])
    with transaction() as session:
        made = delegation.open_offer(session, actor=owner.actor, principal_id=owner.actor.subject_id, wish=wish)
        row: Delegation = delegation.take(session, actor=agent.actor, code=made.code).insist()
    if not family:
        proofs.fresh_proof(owner.actor, Purpose.DELEGATE, owner.document)
    wrong = {"code": "000000"} if endpoint == "delegation.confirm" else None
    target = Target({"delegation_id": row.id}, owner.headers, wrong, agent=world.agent_out_of_scope(owner))
    target.gets = 422 if wrong else None
    return target


@entry("delegation.agree", "delegation.take_back_agreement")
def a_child(world: World, endpoint: str) -> Target:
    owner = world.owner()
    until = clock.now() + timedelta(days=30)
    with transaction() as session:
        child = people.make_citizen(session)
        row = acting.guardian_of(session, owner.actor, child.subject_id, date(2014, 5, 6))
    body = {"item_id": acting.FOR_CHILD, "valid_until": until.isoformat()}
    if endpoint == "delegation.agree":
        return Target({"delegation_id": row.id}, owner.headers, body)
    with transaction() as session:
        guardians.agree(session, actor=owner.actor, delegation_id=row.id, item_id=acting.FOR_CHILD, valid_until=until)
    return Target({"delegation_id": row.id, "item_id": acting.FOR_CHILD}, owner.headers)


@entry("delivery.get_delivery", "delivery.change_address", "delivery.change_to_pickup", "delivery.resend_code")
def a_parcel(world: World, endpoint: str) -> Target:
    owner = world.owner()
    shipment = delivery.requested(world.hands(owner))
    body = delivery.ADDRESS if endpoint == "delivery.change_address" else None
    target = Target({"shipment_id": shipment.id}, owner.headers, body, agent=world.agent_out_of_scope(owner))
    target.gets = 409 if endpoint == "delivery.resend_code" else None
    return target


@entry("files.link", "files.content")
def a_file(world: World, endpoint: str) -> Target:
    owner, stranger = world.owner(), world.stranger
    with transaction() as session:
        own = prereview.upload(session, owner.actor).id
        foreign = prereview.upload(session, stranger.actor).id
        token = files.link(session, actor=owner.actor, file_id=own).token
        other_token = files.link(session, actor=stranger.actor, file_id=foreign).token
    if endpoint == "files.link":
        return Target({"file_id": own}, owner.headers, agent=world.agent_out_of_scope(owner))
    return Target(
        {"file_id": own}, {}, query={"token": token}, outsiders={"a token of another": {"token": other_token}}
    )


@entry("inbox.read")
def a_message(world: World, endpoint: str) -> Target:
    owner = world.owner()
    return Target({"message_id": notifications.tell(owner.actor.subject_id)}, owner.headers)


@entry("organisations.accept", "organisations.decline", "organisations.end_role")
def a_role(world: World, endpoint: str) -> Target:
    owner = world.owner(name="王五")
    role_id = world.role_of(owner, "王五")
    if endpoint == "organisations.end_role":
        with transaction() as session:
            organisations.answer(session, actor=owner.actor, role_id=role_id, accept=True)
    return Target({"role_id": role_id}, owner.headers, agent=world.agent_out_of_scope(owner))


@entry("personal_data.export_link", "personal_data.content")
def a_copy(world: World, endpoint: str) -> Target:
    owner, other = world.owner(), world.owner()
    tokens = {}
    for one in (owner, other):
        with transaction() as session:
            made = exports.request(session, actor=one.actor).id
        with transaction() as session:
            exports.build(session, made)
        with transaction() as session:
            tokens[made] = exports.link(session, actor=one.actor, export_id=made).token
    own, foreign = tokens
    if endpoint == "personal_data.export_link":
        return Target({"export_id": own}, owner.headers)
    return Target(
        {"export_id": own},
        {},
        query={"token": tokens[own]},
        outsiders={"a token of another": {"token": tokens[foreign]}},
    )


@entry("personal_data.withdraw_request")
def a_request(world: World, endpoint: str) -> Target:
    owner = world.owner()
    with transaction() as session:
        made = corrections.request(session, actor=owner.actor, kind=CorrectionKind.NAME, wish="“堃”字显示错误")
    return Target({"request_id": made.id}, owner.headers)


_PREREVIEW_BODIES: dict[str, Any] = {
    "prereview.change_answers": {"answers": prereview.NO_SPECIALS},
    "prereview.confirm_version": {"version_id": str(uuid4())},
    "prereview.set_material": {"provision": None},
}


@entry(
    "prereview.get_prereview",
    "prereview.discard",
    "prereview.change_answers",
    "prereview.confirm_version",
    "prereview.set_material",
    "prereview.submit",
    "prereview.withdraw",
)
def papers(world: World, endpoint: str) -> Target:
    owner, body = world.owner(), _PREREVIEW_BODIES.get(endpoint)
    path: dict[str, Any] = {}
    with transaction() as session:
        if endpoint == "prereview.withdraw":
            made = prereview.submitted(session, owner.actor)
        else:
            made = prereview.draft(session, owner.actor)
            if endpoint == "prereview.submit":
                prereview.provide(session, owner.actor, made, 1)
        if endpoint == "prereview.set_material":
            path["no"] = 1
            body = {"provision": "UPLOAD", "file_ids": [str(prereview.upload(session, owner.actor).id)]}
    return Target({"prereview_id": made.id, **path}, owner.headers, body, agent=world.agent_out_of_scope(owner))
