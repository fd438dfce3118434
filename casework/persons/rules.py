"""What a look-up can refer to. Pure."""

from __future__ import annotations

from enum import StrEnum

from core.limits import Limit


class Reference(StrEnum):
    """Why the clerk may look: a number of the person's, or the ticket that was called to the window (its id)."""

    CASE = "CASE"
    APPOINTMENT = "APPOINTMENT"
    TICKET = "TICKET"


# Names and numbers tried out by the dozen are browsing, whatever reference is given [D].
LOOK_UPS = Limit("person-look-ups", 60, 3_600)
