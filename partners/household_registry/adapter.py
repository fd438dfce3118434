"""One question: is this person a guardian of that child? Signed both ways."""

from __future__ import annotations

from uuid import UUID

from auth.delegation.guardians.ports import HouseholdAnswer, HouseholdResult, Known
from core.ports import PartnerUnavailable
from core.settings import RegistrySettings
from partners import signed

PARTNER = "household-registry"

_RESULTS = {
    "GUARDIAN": HouseholdResult.GUARDIAN,
    "NOT_GUARDIAN": HouseholdResult.NOT_GUARDIAN,
    "NOT_FOUND": HouseholdResult.NOT_FOUND,
    "DISPUTED": HouseholdResult.DISPUTED,
    "INSTITUTION": HouseholdResult.INSTITUTION,
}


class SignedHouseholdRegistry:
    """The port auth.delegation.guardians.ports.HouseholdRegistry over the registry's HTTP interface."""

    def __init__(self, settings: RegistrySettings) -> None:
        self._settings = settings

    def guardian(self, *, child: Known, asking: Known, request_id: UUID) -> HouseholdAnswer:
        """Ask the registry; asking again is harmless. Raises `PartnerUnavailable`, also for an answer it didn't sign."""
        ours = self._settings
        found = signed.ask(
            PARTNER,
            ours.url + "/v1/guardian",
            key_id=ours.key_id,
            secret=ours.secret,
            fields={"request_id": str(request_id), "child": _fields(child), "asking": _fields(asking)},
        )
        result = _RESULTS.get(str(found.get("result")))
        if found.get("request_id") != str(request_id) or result is None:
            raise PartnerUnavailable(PARTNER)
        return HouseholdAnswer(result, signed.day(found.get("born_on")), str(found.get("relation") or ""))


def _fields(person: Known) -> dict[str, str]:
    return {
        "name": person.name,
        "document_type": person.document_type,
        "document_number": person.document_number,
    }
