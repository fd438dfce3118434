"""Choosing the hall in which a result is collected. The session is given; nothing here commits."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from auth.staff.roles import FRONT_CLERK
from casework.acting import service as acting
from casework.cases import queries, rules
from casework.cases.events import CaseTransferred
from casework.cases.models import ServiceCase
from casework.cases.record import service as record
from casework.cases.rules import State
from casework.catalogue import queries as catalogue
from casework.places import queries as places
from core.actors import Action, Citizen, Staff
from core.errors import InvalidInput, StateConflict
from core.events import publish


def choose_hall(session: Session, *, actor: Citizen | Staff, case_id: UUID, hall_id: UUID) -> ServiceCase:
    """Have the result issued in another hall: by the citizen, or at the counter for one; until it is being issued (S12).

    Any hall with the item's zone will do. The same hall again changes nothing. Raises `NotFound`, `StateConflict` when it
    is too late, `InvalidInput` for a hall that has no such zone, and what acting for another requires.
    """
    case = _case(session, actor, case_id)
    if State(case.state) not in rules.BEFORE_ISSUING:
        raise StateConflict()
    zone = catalogue.item_version(session, case.version_id).zone_code
    if zone not in places.zone_codes(session, hall_id):
        raise InvalidInput(fields={"hall_id": ["该大厅不能领取此类结果 / this hall doesn't issue such results"]})
    if hall_id != case.issue_hall_id:
        case.issue_hall_id = hall_id
        reason = f"领取地点改为{places.hall(session, hall_id).name}"
        record.write(session, case, State(case.state), actor, reason=reason)
        publish(session, CaseTransferred(case.id, case.owner_id, hall_id))
    return case


def _case(session: Session, actor: Citizen | Staff, case_id: UUID) -> ServiceCase:
    """Locked, and the actor's to change."""
    if isinstance(actor, Staff):
        return queries.for_staff(session, case_id, actor, acting=frozenset({FRONT_CLERK}), lock=True)
    owned = queries.owned(session, case_id, actor.owner_id)
    acting.require_matter(session, actor=actor, action=Action.COLLECT, version_id=owned.version_id)
    return queries.locked(session, case_id)
