"""Objects of the staff routes that belong to an office, a department's catalogue, or the whole city."""

from __future__ import annotations

import io
import secrets
from datetime import date, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from auth.accounts import queries as people_queries
from auth.accounts import service as accounts
from auth.accounts.freezing import service as freezing
from auth.accounts.models import SubjectFreeze
from auth.accounts.rules import FreezeReason
from auth.delegation import service as delegation
from auth.delegation.rules import Kind, Scope
from auth.delegation.service import Wish
from auth.identity.conflicts.models import IdentityConflict
from auth.identity.conflicts.rules import ConflictState
from auth.kiosks import service as kiosks
from auth.personal_data.corrections import service as corrections
from auth.personal_data.corrections.rules import Kind as CorrectionKind
from auth.sessions import service as sessions
from auth.sessions.devices import service as devices
from auth.sessions.models import LoginEvent
from auth.sessions.rules import LoginResult, Method, Origin
from auth.staff import service as staff_service
from auth.staff.management import service as management
from casework.calendars import service as calendars
from casework.catalogue import service as catalogue
from casework.catalogue.drafts import service as drafts
from casework.catalogue.importing.uploads import service as uploads
from casework.catalogue.publishing import service as publishing
from casework.persons.emergencies.models import EmergencyLookUp
from core import clock
from core.actors import Action, System
from core.db import transaction
from payments.bills import service as bills
from payments.refunds import service as refunds
from tests.cross_access.registry import Target, entry
from tests.cross_access.world import DEPARTMENT, World
from tests.factories import auth as people
from tests.factories import delegation as acting
from tests.factories import items, oidc, payments
from tests.factories.catalogue import CITY_HALL

_MAKER = System("tests")


def _draft_item(world: World) -> tuple[Any, Any, Any]:
    """A draft of a fresh item: an item has one open draft at most."""
    if "managers" not in world.kept:
        with transaction() as session:
            world.kept["managers"] = tuple(
                people.make_staff(session, roles=["ITEM_MANAGER"], department_id=DEPARTMENT) for _ in range(2)
            )
    (author, _), (second, _) = world.kept["managers"]
    code = f"NB-T{secrets.token_hex(4).upper()}"
    with transaction() as session:
        draft = drafts.open_draft(session, actor=author, item_id=items.ITEM, as_item=code)
        draft = items.edited(session, author, draft, "basics", name=f"房屋登记试行{code}")
    return author, second, draft


@entry(*(
    f"staff_catalogue.{act}"
    for act in ("version", "edit_section", "lint", "diff", "rebase", "submit", "send_back", "publish", "withdraw", "give_up")
))  # fmt: skip
def a_version(world: World, endpoint: str) -> Target:
    act = endpoint.split(".")[1]
    author, _, draft = _draft_item(world)
    (_, author_headers), (_, second_headers) = world.kept["managers"]
    body: Any = {
        "send_back": {"note": "请补充依据"},
        "publish": {"effective_from": clock.today().isoformat()},
        "withdraw": {"note": "发布有误"},
    }.get(act)
    path: dict[str, Any] = {"version_id": draft.id}
    if act == "edit_section":
        path["section"] = "basics"
        with transaction() as session:
            body = {"content": items.section(session, draft.id, "basics")}
    if act in {"send_back", "publish", "withdraw"}:
        with transaction() as session:
            draft = publishing.submit(session, actor=author, version_id=draft.id, edit=draft.edit)
    may = second_headers if act in {"send_back", "publish"} else author_headers
    # A version that was never published can't be withdrawn.
    return Target(path, may, body, tag=f".{draft.edit}", gets=409 if act == "withdraw" else None)


@entry("staff_catalogue.retire", "staff_catalogue.keep")
def an_item(world: World, endpoint: str) -> Target:
    author, second, draft = _draft_item(world)
    with transaction() as session:
        made = publishing.submit(session, actor=author, version_id=draft.id, edit=draft.edit)
        publishing.publish(session, actor=second, version_id=made.id, effective_from=clock.today())
    body = {"ends": clock.today().isoformat(), "kind": "ENDED", "reason": "依据已废止"}
    if endpoint.endswith("keep"):
        body = {"note": "依据仍有效"}
        ends = clock.today() + timedelta(days=9)
        with transaction() as session:
            catalogue.retire(session, actor=author, item_id=draft.item_id, ends=ends)
    return Target({"item_id": draft.item_id}, world.kept["managers"][0][1], body, absent={"item_id": "NB-T00000000"})


@entry("staff_personal_data.take", "staff_personal_data.give_back", "staff_personal_data.answer")
def a_correction(world: World, endpoint: str) -> Target:
    owner, act = world.owner(), endpoint.split(".")[1]
    with transaction() as session:
        made = corrections.request(session, actor=owner.actor, kind=CorrectionKind.NAME, wish="“堃”字显示错误")
        if act != "take":
            corrections.take(session, actor=world.clerk[0], request_id=made.id)
    body = {"done": True, "answer": "已更正"} if act == "answer" else None
    return Target({"request_id": made.id}, world.clerk[1], body, citywide="registrars of all halls share one queue")


@entry("staff_delegations.confirm", "staff_delegations.confirm_in_person", "staff_delegations.revoke")
def a_delegation(world: World, endpoint: str) -> Target:
    owner, agent, act = world.owner(), world.owner(), endpoint.split(".")[1]
    card = {"document_type": owner.document.type.value, "document_number": owner.document.number}
    body: Any = {
        "confirm": {"code": "000000"},
        "confirm_in_person": {**card, "document_seen": "委托书"},
        "revoke": card,
    }[act]
    with transaction() as session:
        if act == "revoke":
            row = acting.delegate(session, owner.actor, agent.actor, items=[acting.OTHER])
        else:
            wish = Wish(Kind.FAMILY, Scope.AGENT_FRIENDLY, [], [Action.SUBMIT, Action.VIEW])
            made = delegation.open_offer(session, actor=owner.actor, principal_id=owner.actor.subject_id, wish=wish)
            row = delegation.take(session, actor=agent.actor, code=made.code).insist()
    target = Target(
        {"delegation_id": row.id}, world.clerk[1], body, citywide="any counter, with the principal's card or code"
    )
    target.gets = 422 if act == "confirm" else None
    return target


@entry("staff_identity.decide")
def a_conflict(world: World, endpoint: str) -> Target:
    holder, claimant = world.owner(), world.owner(level=1)
    with transaction() as session:
        made = IdentityConflict(
            claimant_id=claimant.actor.subject_id,
            holder_id=holder.actor.subject_id,
            document_type=holder.document.type.value,
            document_lookup=people_queries.document_lookup(holder.document),
            document_number=holder.document.number,
            name="李强",
            opened_at=clock.now(),
            state=ConflictState.OPEN.value,
        )
        session.add(made)
    body = {
        "document_type": holder.document.type.value,
        "document_number": holder.document.number,
        "verdict": "TWO_PEOPLE",
        "reason": "经查为重号",
    }
    return Target({"conflict_id": made.id}, world.clerk[1], body, citywide="the person goes to any counter")


@entry("staff_identity.propose_lift", "staff_identity.lift")
def a_freeze(world: World, endpoint: str) -> Target:
    owner, act = world.owner(), endpoint.split(".")[1]
    with transaction() as session:
        accounts.freeze(session, actor=_MAKER, subject_id=owner.actor.subject_id, reason=FreezeReason.DEATH)
    security = world.staff("SECURITY_ADMIN")
    with transaction() as session:
        freeze = session.scalars(select(SubjectFreeze).where(SubjectFreeze.subject_id == owner.actor.subject_id)).one()
        if act == "lift":
            freezing.propose_lift(session, actor=security[0], freeze_id=freeze.id, reason="误报")
    body = {"reason": "误报"} if act == "propose_lift" else None
    may = security if act == "propose_lift" else world.staff("SUPERVISOR")
    return Target({"freeze_id": freeze.id}, may[1], body, citywide="accounts belong to no hall")


@entry("staff_kiosks.set_active")
def a_kiosk(world: World, endpoint: str) -> Target:
    admin = world.staff("SYSTEM_ADMIN")
    key = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with transaction() as session:
        made = kiosks.register(
            session, actor=admin[0], code=f"K-{secrets.token_hex(4).upper()}", name="一号机", hall_id=CITY_HALL,
            public_key=key.decode(),
        )  # fmt: skip
    return Target({"kiosk_id": made.id}, admin[1], {"active": False}, citywide="one administration of the system")


@entry(*(f"staff_oidc_clients.{act}" for act in ("show", "change", "disable", "enable", "new_secret")))
def a_site(world: World, endpoint: str) -> Target:
    site = oidc.register()
    body: Any = {"change": {"name_zh": "宁波税务局"}, "new_secret": {}}.get(endpoint.split(".")[1])
    return Target(
        {"client_id": site.client_id},
        world.staff("SYSTEM_ADMIN")[1],
        body,
        citywide="one administration of the system",
        absent={"client_id": f"none-{secrets.token_hex(4)}"},
    )


@entry("staff_refunds.approve", "staff_refunds.reject", "staff_refunds.retry")
def a_refund(world: World, endpoint: str) -> Target:
    owner, act = world.owner(), endpoint.split(".")[1]
    with transaction() as session:
        bill = payments.issue(session, owner.actor.subject_id)
    order = payments.start(owner.actor, bill)
    payments.reports_paid(order, trade_no=str(order.id.int)[:28])
    with transaction() as session:
        bills.settle(session, actor=_MAKER, bill_id=bill.id)
    with transaction() as session:
        made = refunds.request(session, actor=_MAKER, bill_id=bill.id, amount_fen=1000, reason="多收退费")
    body = {"reason": "已超过退付期限"} if act == "reject" else None
    target = Target({"refund_id": made.id}, world.staff("FINANCE")[1], body, citywide="one finance office")
    target.gets = 409 if act == "retry" else None
    return target


@entry("staff_security.close")
def a_report(world: World, endpoint: str) -> Target:
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
        line = session.scalars(select(LoginEvent.id).where(LoginEvent.subject_id == owner.actor.subject_id)).first()
        assert line is not None
        report = devices.disown(session, actor=owner.actor, login_event_id=line)
    return Target(
        {"report_id": report.report_id},
        world.staff("SECURITY_ADMIN")[1],
        {"finding": "已核实"},
        citywide="one security administration",
    )


@entry("staff_login.end_session")
def an_own_session(world: World, endpoint: str) -> Target:
    with transaction() as session:
        actor, headers = people.make_staff(session, roles=["FRONT_CLERK"])
        other, _token = staff_service.open_session(session, staff_id=actor.staff_id, address=None)
    return Target({"session_id": other.id}, headers, citywide="one's own", outsiders={"a colleague": world.clerk[1]})


@entry(*(
    f"staff_members.{act}"
    for act in ("close", "give_roles", "role_changes", "ask_authenticator", "agree_authenticator")
))  # fmt: skip
def a_colleague(world: World, endpoint: str) -> Target:
    act, system, security = endpoint.split(".")[1], world.staff("SYSTEM_ADMIN"), world.staff("SECURITY_ADMIN")
    with transaction() as session:
        actor, headers = people.make_staff(session, roles=["FRONT_CLERK"])
        if act == "agree_authenticator":
            management.ask_authenticator(session, actor=system[0], staff_id=actor.staff_id, reason="手机遗失")
    body: Any = {
        "give_roles": {"roles": ["BACK_OFFICER"], "reason": "调岗"},
        "ask_authenticator": {"reason": "手机遗失"},
    }.get(act)
    may = system if act == "close" else security
    outsiders = {"the member": headers}
    return Target(
        {"staff_id": actor.staff_id}, may[1], body, citywide="one administration of staff", outsiders=outsiders
    )


@entry("staff_persons.review")
def an_emergency(world: World, endpoint: str) -> Target:
    owner = world.owner()
    with transaction() as session:
        made = EmergencyLookUp(
            staff_id=world.clerk[0].staff_id,
            subject_id=owner.actor.subject_id,
            reason="晕倒在大厅",
            at=clock.now(),
            due_at=clock.now(),
        )
        session.add(made)
    body = {"justified": True, "finding": "属实"}
    return Target({"look_id": made.id}, world.staff("SUPERVISOR")[1], body, citywide="one supervision")


@entry("staff_calendars.proposal", "staff_calendars.decide")
def a_calendar_proposal(world: World, endpoint: str) -> Target:
    days = [{"day": date(2026, 12, 31), "is_workday": False, "name": "临时放假"}]
    with transaction() as session:
        proposer, _ = people.make_staff(session, roles=["SYSTEM_ADMIN"])
        made = calendars.propose(session, actor=proposer, days=days, source="市政府通知")
        _, second = people.make_staff(session, roles=["SYSTEM_ADMIN"])
    citywide = "there is one calendar, and any manager of a hall may be the second to look at it"
    body = {"approved": False} if endpoint.endswith("decide") else None
    return Target({"proposal_id": made.id}, second, body, citywide=citywide)


@entry("staff_catalogue_files.one_import")
def a_sent_file(world: World, endpoint: str) -> Target:
    with transaction() as session:
        sender, headers = people.make_staff(session, roles=["ITEM_MANAGER"], department_id=DEPARTMENT)
        made = uploads.take_in(session, actor=sender, stream=io.BytesIO(b"{}"), filename="items.json")
    return Target({"import_id": made.id}, headers)
