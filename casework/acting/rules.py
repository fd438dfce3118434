"""An item as delegation sees it. Pure."""

from __future__ import annotations

from auth.delegation.rules import ItemFacts
from casework.catalogue.queries import AgentFacts
from casework.catalogue.rules import Item, ServiceObject


def facts_of(item: Item | AgentFacts) -> ItemFacts:
    """What of an item decides whether it may be done for another (DG-3)."""
    objects = frozenset(item.service_objects)
    return ItemFacts(
        item_id=item.item_id,
        kind=item.zone_code,
        agent_allowed=item.agent_allowed,
        agent_friendly=item.agent_friendly,
        biometric=bool(item.biometric_on_site),
        for_persons=ServiceObject.PERSON in objects,
        for_organisations=bool(objects - {ServiceObject.PERSON}),
    )
