"""Which items a list may show to somebody who acts for another."""

from __future__ import annotations

from sqlalchemy.orm import Session

from auth.delegation.rules import Scope, may
from casework.acting.rules import facts_of
from casework.catalogue import queries as catalogue
from core import clock
from core.actors import Citizen


def visible_items(session: Session, actor: Citizen) -> frozenset[str] | None:
    """The items whose matters `actor` may see; None for all of them: one's own, a guardian's, a representative's.

    An item that is no longer in force is seen only by those who see all.
    """
    if actor.on_behalf_of is None:
        return None
    acting = actor.acting
    if acting is None:
        return frozenset()
    if acting.scope == Scope.ALL:
        return None
    facts = map(facts_of, catalogue.agent_facts(session, clock.today()))
    return frozenset(item.item_id for item in facts if may(acting, item))
