"""What is asked before a place is taken, all of it without a lock (AP-3, AP-5, AP-7, AP-11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from auth.accounts import queries as accounts
from casework.acting import service as acting
from casework.appointments import queries, rules
from casework.appointments.errors import BookingNotOffered
from casework.appointments.models import Appointment
from casework.appointments.parties import service as parties
from casework.appointments.parties.service import Party
from casework.appointments.rules import Comes, Need, Wish
from casework.catalogue import rules as catalogue_rules
from casework.catalogue.guide.rules import choices
from casework.catalogue.kept import queries as kept
from casework.catalogue.rules import Item
from casework.prereview import queries as prereviews
from casework.prereview.queries import PassedPreReview
from casework.slots import rules as slot_rules
from casework.slots.errors import SlotFull, SlotNotReleased
from casework.slots.queries import SlotRow
from casework.slots.rules import HallPolicy
from core import calendar, clock
from core.actors import Action, Capacity, Citizen, Staff, acted_by
from core.errors import InvalidInput
from core.web.access import level_too_low


@dataclass(frozen=True, slots=True)
class Details:
    """What the form asks beside item and slot (AP-11, AP-12). `answers`: the situation; a pre-review brings its own."""

    comes: Comes | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    needs: Sequence[Need] = ()
    language: str | None = None
    parties: Sequence[Party] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A booking about to be taken: all that is known of it without a lock. `reads`: the language the right-holder reads."""

    item: Item
    slot: SlotRow
    policy: HallPolicy
    wish: Wish
    prereview: PassedPreReview | None
    details: Details
    acted_by: Capacity | None
    minutes: int
    birth_date: date | None
    phone: bytes | None
    reads: str
    channel: str
    changes: int
    now: datetime

    @property
    def online(self) -> bool:
        """Whether a citizen books; what staff book isn't blocked by no-shows (AP-22)."""
        return self.channel not in {"HOTLINE", "HALL"}


def bookable_item(session: Session, item_id: str, day: date) -> Item:
    """The item in force that can be booked. Raises `ItemNotInForce`, `BookingNotOffered`."""
    item = kept.item_in_force(session, item_id, day)
    if not item.bookable:
        raise BookingNotOffered()
    return item


def make(
    session: Session,
    *,
    actor: Citizen | Staff,
    owner_id: UUID,
    acting_id: UUID,
    slot_id: UUID,
    item_id: str,
    prereview_id: UUID | None,
    details: Details,
    replaces: Appointment | None = None,
) -> Draft:
    """Ask everything that needs no lock (AP-3, AP-5, AP-7, AP-11); a slot without room is refused here already.

    Raises `ItemNotInForce`, `BookingNotOffered`, `AuthLevelTooLow`, `InvalidInput`, `NotFound`, `SlotNotReleased`,
    `StateConflict` (the pre-review doesn't count any more), `SlotFull`.
    """
    now = clock.now()
    item = bookable_item(session, item_id, clock.local(now).date())
    if isinstance(actor, Citizen):
        needed = rules.booking_level(item.min_auth_level)
        if actor.level < needed:
            raise level_too_low(actor, needed)
    check_comes(details.comes, item, acts_for_other=acting_id != owner_id)
    asked = queries.READ_SLOTS.slot(session, slot_id, now, owner_id=owner_id)
    slot, policy = asked.slot, asked.policy
    if slot.zone_code != item.zone_code:
        raise InvalidInput(fields={"slot_id": ["该时段不办理此事项 / this slot is not for this item"]})
    if not slot_rules.is_released(slot.starts_at, now, policy, calendar.load(session)):
        raise SlotNotReleased()
    prereviewed = prereview_id is not None
    minutes = slot_rules.minutes_needed(item.avg_handle_minutes, prereviewed=prereviewed, policy=policy)
    # As early as can be: in a rush nearly everybody is told this.
    if slot_rules.room(slot.room, now, entitled=True) < minutes and not asked.held:
        raise SlotFull()
    person = accounts.person(session, owner_id)
    own = person.birth_date if isinstance(actor, Citizen) and actor.subject_id == owner_id else None
    acting.require(session, actor=actor, action=Action.SUBMIT, item=item, hall_id=slot.hall_id, born_on=own)
    prereview = _passed(session, prereview_id, owner_id, item, now)
    return Draft(
        item=item,
        slot=slot,
        policy=policy,
        wish=Wish(
            owner_id,
            acting_id,
            item.item_id,
            slot.hall_id,
            slot.starts_at,
            slot.ends_at,
            replaces=replaces.id if replaces is not None else None,
        ),
        prereview=prereview,
        details=details,
        acted_by=acted_by(actor),
        minutes=minutes,
        birth_date=person.birth_date,
        phone=accounts.phone_lookup(person.phone) if person.phone else None,
        reads=person.language,
        channel=actor.channel if isinstance(actor, Citizen) else "HOTLINE",
        changes=replaces.changes + 1 if replaces is not None else 0,
        now=now,
    )


def check_comes(comes: Comes | None, item: Item, *, acts_for_other: bool) -> None:
    """Who comes must fit who books, and the item must allow agents (AP-11, DG-3)."""
    by_other = acts_for_other or (comes is not None and comes is not Comes.SELF)
    if by_other and not item.agent_allowed:
        raise InvalidInput(fields={"comes": ["该事项须本人到场办理 / the person concerned must come"]})
    if acts_for_other and comes is Comes.SELF:
        raise InvalidInput(fields={"comes": ["代办预约请选择代办人或监护人 / choose agent or guardian"]})


def _passed(
    session: Session, prereview_id: UUID | None, owner_id: UUID, item: Item, now: datetime
) -> PassedPreReview | None:
    if prereview_id is None:
        return None
    passed = prereviews.passed(session, prereview_id, now, owner_id=owner_id)
    if passed.item_id != item.item_id:
        raise InvalidInput(fields={"prereview_id": ["预审与预约的事项不一致 / the pre-review is of another item"]})
    return passed


def situation(
    item: Item, prereview: PassedPreReview | None, answers: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """The answers that count, and the papers to bring: by the verdicts of a pre-review, else by the answers.

    Without answers: the papers everybody needs. Raises `InvalidInput` for answers that don't fit the item.
    """
    if prereview is not None:
        return dict(prereview.answers), [material.name for material in prereview.materials if material.bring]
    if answers:
        listed = catalogue_rules.materials_for(item, answers)
    else:
        listed = tuple(material for material in item.materials if material.required)
    needs = [need.materials for need in choices(listed) if not any(paper.waivable for paper in need.materials)]
    # What a situation calls for is needed like what everybody needs, unless it may follow later (容缺).
    needs = [papers for papers in needs if any(paper.required or not paper.tolerable for paper in papers)]
    return dict(answers), ["或".join(paper.name for paper in papers) for papers in needs]


def details_of(appointment: Appointment) -> Details:
    """What was asked when this was booked, to book it again elsewhere (AP-13)."""
    return Details(
        comes=Comes(appointment.comes),
        answers=dict(appointment.answers) if appointment.prereview_id is None else {},
        needs=[Need(need) for need in appointment.needs],
        language=appointment.language,
        parties=parties.named_in(appointment),
    )
