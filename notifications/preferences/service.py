"""Consent to WeChat messages: counted, so that a person who allowed none isn't tried again and again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from auth.accounts import queries as people
from auth.accounts.events import AccountClosed, SubjectsMerged
from core import clock
from core.actors import Citizen
from core.errors import InvalidInput
from notifications.preferences.models import SubscribeConsent
from notifications.templates.queries import all_templates


def groups() -> frozenset[str]:
    """The groups of WeChat messages that our templates use."""
    return frozenset(entry.subscription.group for entry in all_templates().values() if entry.subscription)


def answer(session: Session, *, actor: Citizen, answers: Mapping[str, bool]) -> None:
    """Record what the person answered to WeChat's prompt, by group. Raises `InvalidInput` for an unknown group."""
    unknown = sorted(set(answers) - groups())
    if unknown:
        raise InvalidInput(fields={"answers": [f"没有这类消息 / no such messages: {', '.join(unknown)}"]})
    for group, allowed in sorted(answers.items()):
        _write(session, actor.subject_id, group, allowed=allowed)


def may_send(session: Session, subject_id: UUID, group: str) -> bool:
    """Whether trying makes sense: the person has not said no since the last yes. What we don't know is tried."""
    consent = session.get(SubscribeConsent, (subject_id, group))
    return consent is None or consent.refused_at is None


def spend(session: Session, subject_id: UUID, group: str) -> None:
    """One message of this group went out."""
    session.execute(
        update(SubscribeConsent)
        .where(SubscribeConsent.subject_id == subject_id, SubscribeConsent.template_group == group)
        .values(remaining=func.greatest(SubscribeConsent.remaining - 1, 0), updated_at=clock.now())
    )


def withdraw(session: Session, subject_id: UUID, group: str) -> None:
    """The person allows no more messages of this group."""
    _write(session, subject_id, group, allowed=False)


def refuse(session: Session, *, openid: str, groups: Collection[str]) -> int:
    """WeChat says that a person no longer wants messages of `groups`; of how many, for somebody we know.

    Only a no is taken from there: the mini-program itself tells us of each yes, and counting one twice would promise
    messages that can't be sent.
    """
    subject_id = people.find_by_openid(session, openid) if groups else None
    if subject_id is None:
        return 0
    for group in sorted(groups):
        withdraw(session, subject_id, group)
    return len(groups)


def _write(session: Session, subject_id: UUID, group: str, *, allowed: bool) -> None:
    now = clock.now()
    statement = insert(SubscribeConsent).values(
        subject_id=subject_id,
        template_group=group,
        remaining=1 if allowed else 0,
        refused_at=None if allowed else now,
        updated_at=now,
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[SubscribeConsent.subject_id, SubscribeConsent.template_group],
            set_={
                "remaining": SubscribeConsent.remaining + 1 if allowed else 0,
                "refused_at": statement.excluded.refused_at,
                "updated_at": now,
            },
        )
    )


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """Two subjects were found to be one person: what the kept one said counts, the rest comes along."""
    kept = aliased(SubscribeConsent)
    session.execute(
        delete(SubscribeConsent).where(
            SubscribeConsent.subject_id == event.absorbed,
            SubscribeConsent.template_group.in_(select(kept.template_group).where(kept.subject_id == event.kept)),
        )
    )
    session.execute(
        update(SubscribeConsent).where(SubscribeConsent.subject_id == event.absorbed).values(subject_id=event.kept)
    )


def on_account_closed(session: Session, event: AccountClosed) -> None:
    """What the person allowed is gone with the account."""
    session.execute(delete(SubscribeConsent).where(SubscribeConsent.subject_id == event.subject_id))
