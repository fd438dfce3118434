"""Looking for a free slot."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from casework.appointments.drafts import service as drafts
from casework.appointments.offers import queries
from casework.appointments.offers.queries import Offer
from casework.places import queries as places
from casework.slots import queries as slots
from casework.slots import rules as slot_rules
from casework.slots import service as slot_service
from core import calendar, clock


def offer(session: Session, *, item_id: str, hall_id: UUID, first: date | None, days: int, prereviewed: bool) -> Offer:
    """The slots of a hall for an item, `days` days from `first` (today if None). Days nobody made before are made now.

    Days beyond the horizon are left out. Raises `ItemNotInForce`, `BookingNotOffered`, `NotFound` (the hall).
    """
    now = clock.now()
    today = clock.local(now).date()
    item = drafts.bookable_item(session, item_id, today)
    policy = slots.policy(session, hall_id)
    minutes = slot_rules.minutes_needed(item.avg_handle_minutes, prereviewed=prereviewed, policy=policy)
    begin = max(first or today, today)
    end = min(begin + timedelta(days=days - 1), slot_rules.horizon(now, policy, calendar.load(session)))

    def read() -> Offer:
        return queries.days_of(
            session,
            hall_id=hall_id,
            zone_code=item.zone_code,
            minutes=minutes,
            first=begin,
            last=end,
            policy=policy,
            now=now,
        )

    found = read()
    wanted = {begin + timedelta(days=ahead) for ahead in range((end - begin).days + 1)}
    missing = wanted - {day.day for day in found.days}
    if not missing:
        return found
    places.hall(session, hall_id)
    slot_service.ensure_days(session, hall_id=hall_id, zone_codes=[item.zone_code], days=missing)
    return read()
