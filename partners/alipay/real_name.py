"""Real name by the person's own Alipay (PROTOCOLS 3.3 a): the port auth.identity.alipay.ports.AlipayRealName.

preconsult tells Alipay whom we mean → the person agrees on Alipay's page → the code gives a token → consult says whether
the signed-in Alipay account is that person. Alipay never tells us a name or a number.
"""

from __future__ import annotations

import json
import logging

from auth.identity.alipay.ports import Verdict
from core.ports import PartnerRefused, PartnerUnavailable
from core.settings import AlipaySettings
from partners.alipay.accounts import AlipayOAuth

VERIFY_SCOPE = "id_verify"
# The one kind of document that Alipay compares.
_RESIDENT_ID = "IDENTITY_CARD"
_VERDICTS = {"T": Verdict.SAME_PERSON, "F": Verdict.OTHER_PERSON}
_LONGEST_LOGGED = 40

log = logging.getLogger("partners.alipay")


class AlipayCertVerify:
    """`alipay.user.certdoc.certverify`, over the same authorisation page as signing in."""

    def __init__(self, settings: AlipaySettings, public_url: str) -> None:
        self._oauth = AlipayOAuth(settings, public_url)

    def prepare(self, *, name: str, document_number: str) -> str:
        """Alipay's id of the question, good for two hours. Raises `PartnerRefused`, `PartnerUnavailable`."""
        from alipay.aop.api.domain.AlipayUserCertdocCertverifyPreconsultModel import (
            AlipayUserCertdocCertverifyPreconsultModel,
        )
        from alipay.aop.api.request.AlipayUserCertdocCertverifyPreconsultRequest import (
            AlipayUserCertdocCertverifyPreconsultRequest,
        )

        model = AlipayUserCertdocCertverifyPreconsultModel()
        model.user_name, model.cert_type, model.cert_no = name, _RESIDENT_ID, document_number
        found = self._oauth.client.call(AlipayUserCertdocCertverifyPreconsultRequest(biz_model=model))
        verify_id = found.get("verify_id")
        if not isinstance(verify_id, str) or not verify_id:
            raise PartnerUnavailable("alipay: no verify_id")
        return verify_id

    def address(self, *, verify_id: str, state: str) -> str:
        """The page where the person agrees; the browser comes back with `state`."""
        return self._oauth.address(VERIFY_SCOPE, state, cert_verify_id=verify_id)

    def consult(self, *, code: str, verify_id: str) -> Verdict:
        """Whether the account that agreed is the person asked about. Raises `AlipayCodeInvalid`, `PartnerUnavailable`."""
        from alipay.aop.api.domain.AlipayUserCertdocCertverifyConsultModel import (
            AlipayUserCertdocCertverifyConsultModel,
        )
        from alipay.aop.api.request.AlipayUserCertdocCertverifyConsultRequest import (
            AlipayUserCertdocCertverifyConsultRequest,
        )

        token = self._oauth.token(code).get("access_token")
        model = AlipayUserCertdocCertverifyConsultModel()
        model.verify_id = verify_id
        request = AlipayUserCertdocCertverifyConsultRequest(biz_model=model)
        request.udf_params = {"auth_token": token}
        try:
            found = self._oauth.client.call(request)
        except PartnerRefused as refusal:
            raise PartnerUnavailable(f"alipay: {refusal.code}") from None
        verdict = _VERDICTS.get(str(found.get("passed")))
        if verdict is None:
            raise PartnerUnavailable("alipay: neither T nor F")
        if verdict is Verdict.OTHER_PERSON:
            log.info("alipay knows another person: %s", _reason(found.get("fail_params")))
        return verdict


def _reason(fail_params: object) -> str:
    """Which of name and number differ, as Alipay names the fields; its sentence may hold a name and isn't read."""
    try:
        found = json.loads(str(fail_params))
    except ValueError:
        return "-"
    names = {"user_name", "cert_no", "cert_type", "mobile", "logon_id"}
    return ",".join(sorted(names & {str(one) for one in found}))[:_LONGEST_LOGGED] if isinstance(found, list) else "-"
