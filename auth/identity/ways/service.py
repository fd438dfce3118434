"""The answer to somebody whose level is too low: which level, and every way there with what it takes (RFC 9470)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.identity.ways import rules
from core.actors import Citizen
from core.errors import AuthLevelTooLow
from core.web.request_context import language

FRESH_LEVEL = 4
_KNOWN_FROM = 2


def too_low(session: Session, *, actor: Citizen, needed: int, purpose: str | None = None) -> AuthLevelTooLow:
    """The refusal for `actor`, to be raised. For level 4, `purpose` is the act that the fresh proof must be for."""
    # Below level 2 it may be a phone's new owner, who must not even learn of the old one's document (ID-4).
    document = people.document(session, actor.subject_id) if actor.level >= _KNOWN_FROM else None
    ways = rules.step_up_ways(
        actor.channel,
        min(actor.level, needed - 1),
        needed,
        language=language(),
        document=document.type if document else None,
    )
    values = f'acr_values="level{needed}"'
    return AuthLevelTooLow(
        needed=needed,
        headers={"WWW-Authenticate": f'Bearer error="insufficient_user_authentication", {values}'},
        extra={"needed_level": needed, "level": actor.level, "ways": ways} | ({"purpose": purpose} if purpose else {}),
    )
