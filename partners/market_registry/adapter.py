"""One question: does this person represent that organisation? Signed both ways."""

from __future__ import annotations

from uuid import UUID

from auth.organisations.ports import RegistryAnswer, RegistryQuestion, RegistryResult
from auth.organisations.rules import OrganisationKind
from core.ports import PartnerUnavailable
from core.settings import RegistrySettings
from partners import signed

PARTNER = "market-registry"

_RESULTS = {
    "MATCH": RegistryResult.MATCH,
    "NOT_REPRESENTATIVE": RegistryResult.NOT_REPRESENTATIVE,
    "NOT_FOUND": RegistryResult.NOT_FOUND,
    "DEREGISTERED": RegistryResult.DEREGISTERED,
}
_KINDS = {kind.value: kind for kind in OrganisationKind}


class SignedMarketRegistry:
    """The port auth.organisations.ports.MarketRegistry over the registry's HTTP interface."""

    def __init__(self, settings: RegistrySettings) -> None:
        self._settings = settings

    def representative(self, question: RegistryQuestion, *, request_id: UUID) -> RegistryAnswer:
        """Ask the registry; asking again is harmless. Raises `PartnerUnavailable`, also for an answer it didn't sign."""
        ours = self._settings
        found = signed.ask(
            PARTNER,
            ours.url + "/v1/representative",
            key_id=ours.key_id,
            secret=ours.secret,
            fields={
                "request_id": str(request_id),
                "credit_code": question.credit_code,
                "name": question.name,
                "document_type": question.document_type,
                "document_number": question.document_number,
            },
        )
        result = _RESULTS.get(str(found.get("result")))
        if found.get("request_id") != str(request_id) or result is None:
            raise PartnerUnavailable(PARTNER)
        name = found.get("name")
        if result is RegistryResult.MATCH and not (isinstance(name, str) and name.strip()):
            raise PartnerUnavailable(PARTNER)
        return RegistryAnswer(result, str(name or ""), _KINDS.get(str(found.get("kind")), OrganisationKind.OTHER))
