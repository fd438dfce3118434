"""Telling people what happened, and their reading of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast
from uuid import UUID

from sqlalchemy import Table, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from auth.accounts import queries as accounts
from auth.accounts.events import AccountChanged, SubjectsMerged
from auth.identity.events import IdentityRaised, IdentityReviewed
from auth.sessions.events import NewDeviceSignedIn, SignInDisowned
from core import clock, ids
from core.actors import Citizen
from core.errors import NotFound
from core.statements import Statement
from notifications.channels import service as channels
from notifications.messages.models import Message
from notifications.messages.queries import Letter, letter
from notifications.templates import queries as templates
from notifications.templates.rules import NOTHING_EN, NOTHING_ZH, display_fields, render

_TABLE = cast(Table, Message.__table__)
_WRITE = Statement(
    insert(_TABLE)
    .on_conflict_do_nothing(index_elements=[_TABLE.c.event_id, _TABLE.c.receiver_id])
    .returning(_TABLE.c.id),
    columns=(
        "id", "receiver_id", "event_id", "template", "matter_type", "matter_id", "title", "body", "fields", "created_at",
    ),
)  # fmt: skip


def announce(
    session: Session,
    *,
    to: UUID,
    template: str,
    event_id: str,
    fields: Mapping[str, str],
    matter_type: str = "",
    matter_id: UUID | None = None,
    sensitive: bool = False,
    language: str | None = None,
) -> UUID | None:
    """Tell the person `to` what happened, in the caller's transaction: inbox now, other channels by jobs (3.17).

    `template` is a code of `notifications/templates/catalogue.json`; `event_id` names the happening: a second call with
    the same one for the same person changes nothing and returns None. `fields`: any of `templates.rules.GIVEN_FIELDS`;
    days in `when` may be ISO ("2026-12-05 09:00"), `amount` is yuan ("80.00"). No ID number in any field. With
    `sensitive` (marriage, credit, police matters) the matter is not named. `language`: the receiver's, where the caller
    has read it already. Raises `LookupError` for an unknown template.
    """
    entry = templates.template(template)
    now = clock.now()
    english = (language or accounts.language(session, to)).startswith("en")
    wording = entry.en if english else entry.zh
    at = clock.local(now)
    chinese = display_fields(fields, sensitive=sensitive, at=at, english=False)
    shown = display_fields(fields, sensitive=sensitive, at=at, english=True) if english else chinese
    nothing = NOTHING_EN if english else NOTHING_ZH
    made = _WRITE.row(
        session,
        id=ids.uuid7(),
        receiver_id=to,
        event_id=event_id,
        template=template,
        matter_type=matter_type,
        matter_id=matter_id,
        title=render(wording.title, shown, nothing=nothing),
        body=render(wording.text, shown, nothing=nothing),
        fields=json.dumps(chinese, ensure_ascii=False),
        created_at=now,
    )
    if made is None:
        return None
    message_id: UUID = made[0]
    channels.queue(session, message_id=message_id, template=entry, now=now)
    return message_id


def on_account_changed(session: Session, event: AccountChanged) -> None:
    """Tell a person of a change to the account that they must be able to object to."""
    event_id = f"account:{event.change_id}"
    announce(
        session, to=event.subject_id, template="SECURITY_NOTICE", event_id=event_id, fields={"note": event.change.note}
    )


def on_new_device(session: Session, event: NewDeviceSignedIn) -> None:
    """Tell a person of a device they haven't used lately."""
    _warn(session, event.subject_id, f"session:{event.session_id}", f"新设备登录（{event.device}）")


def on_sign_in_disowned(session: Session, event: SignInDisowned) -> None:
    """Tell a person that everything was signed out because they, or somebody in their account, disowned a sign-in."""
    _warn(session, event.subject_id, f"sign-in-report:{event.report_id}", "已退出所有设备，暂停更换手机号和微信")


def _warn(session: Session, to: UUID, event_id: str, note: str) -> None:
    announce(session, to=to, template="SECURITY_NOTICE", event_id=event_id, fields={"note": note})


def on_identity_raised(session: Session, event: IdentityRaised) -> None:
    """Tell a person of the higher level, so that a stranger's proof is noticed."""
    event_id = f"identity:{event.evidence_id}"
    fields = {"note": f"现在是 {event.level} 级。"}
    announce(session, to=event.subject_id, template="IDENTITY_RAISED", event_id=event_id, fields=fields)


def on_identity_reviewed(session: Session, event: IdentityReviewed) -> None:
    """Tell a person what came of a review, so that nobody has to look again and again (ID-5)."""
    template = "IDENTITY_REVIEW_PASSED" if event.passed else "IDENTITY_REVIEW_FAILED"
    announce(session, to=event.subject_id, template=template, event_id=f"identity-review:{event.review_id}", fields={})


def mark_read(session: Session, *, actor: Citizen, message_id: UUID) -> Letter:
    """The person opened one of the own messages; opening it again changes nothing. Raises `NotFound`."""
    message = session.scalar(
        select(Message).where(Message.id == message_id, Message.receiver_id == actor.subject_id).with_for_update()
    )
    if message is None:
        raise NotFound()
    if message.read_at is None:
        message.read_at = clock.now()
    return letter(message)


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """Two subjects were found to be one person: the absorbed one's messages go to the kept one, none twice."""
    theirs = aliased(Message)
    session.execute(
        delete(Message).where(
            Message.receiver_id == event.absorbed,
            Message.event_id.in_(select(theirs.event_id).where(theirs.receiver_id == event.kept)),
        )
    )
    session.execute(update(Message).where(Message.receiver_id == event.absorbed).values(receiver_id=event.kept))
