"""Handlers of what `auth.delegation` and `auth.organisations` announce. They run in the publisher's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.acting import service as acting
from auth.delegation.events import ConfirmationAsked, DelegationChanged, Happening
from auth.organisations import queries as organisations
from auth.organisations.events import RoleBegun, RoleEnded
from core.masking import mask_name
from notifications.messages.service import announce

MATTER = "delegation"

# For the principal, and for who acts; `{other}` is the other side's masked name.
_NOTES: dict[Happening, tuple[str, str]] = {
    Happening.TAKEN: ("{other}已使用您的代办码，等您确认后才能为您代办", "您已使用{other}的代办码，等对方确认后生效"),
    Happening.BEGUN: ("{other}从现在起可以为您代办，您可以随时撤销", "您从现在起可以为{other}代办"),
    Happening.ENDED: ("{other}不能再为您代办，已经办完的事项不受影响", "您不能再为{other}代办，已经办完的事项不受影响"),
    Happening.DISPUTED: ("监护关系有争议，须到窗口办理", "{other}的监护关系有争议，须到窗口办理"),
    Happening.RESOLVED: ("监护关系的争议已经处理", "{other}的监护关系争议已经处理，您可以继续代办"),
}


def on_delegation_changed(session: Session, event: DelegationChanged) -> None:
    """Tell the principal, then who acts. For an organisation its people read."""
    if event.happening not in _NOTES:
        return
    for_principal, for_agent = _NOTES[event.happening]
    agents = () if event.agent_id is None else acting.receivers(session, owner_id=event.agent_id)
    principals = [who for who in acting.receivers(session, owner_id=event.principal_id) if who not in agents]
    _tell(session, event, principals, for_principal, other=event.agent_id)
    _tell(session, event, agents, for_agent, other=event.principal_id)


def _tell(
    session: Session, event: DelegationChanged, receivers: Sequence[UUID], note: str, *, other: UUID | None
) -> None:
    for receiver in receivers:
        announce(
            session,
            to=receiver,
            template="DELEGATION_CHANGED",
            event_id=f"delegation:{event.change_id}",
            fields={"note": note.format(other=_name(session, other) if other else "代办员")},
            matter_type=MATTER,
            matter_id=event.delegation_id,
        )


def on_confirmation_asked(session: Session, event: ConfirmationAsked) -> None:
    """Send the principal, and nobody else, the code to agree with; the text says who asks (DG-6)."""
    announce(
        session,
        to=event.principal_id,
        template="DELEGATION_CODE",
        event_id=f"delegation:{event.change_id}",
        fields={"code": event.code, "note": _name(session, event.agent_id)},
        matter_type=MATTER,
        matter_id=event.delegation_id,
    )


def on_role_begun(session: Session, event: RoleBegun) -> None:
    """Tell the organisation's people who may act for it from now on."""
    _tell_role(session, event, "从现在起可以为{organisation}办事：{person}")


def on_role_ended(session: Session, event: RoleEnded) -> None:
    """Tell who can't act for the organisation any more, and its people."""
    _tell_role(session, event, "不能再为{organisation}办事：{person}")


def _tell_role(session: Session, event: RoleBegun | RoleEnded, note: str) -> None:
    organisation = organisations.organisation(session, event.organisation_id).name
    told = [*organisations.readers(session, event.organisation_id), event.person_id]
    for receiver in dict.fromkeys(told):
        announce(
            session,
            to=receiver,
            template="DELEGATION_CHANGED",
            event_id=f"role:{event.role_id}:{type(event).__name__}",
            fields={"note": note.format(organisation=organisation, person=_name(session, event.person_id))},
            matter_type="organisation_role",
            matter_id=event.role_id,
        )


def _name(session: Session, subject_id: UUID) -> str:
    found = people.person(session, subject_id)
    if found.name is None:
        return "**"
    # An organisation has a name and no document; its name is public.
    return mask_name(found.name) if found.document_number is not None else found.name
