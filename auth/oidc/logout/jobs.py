"""Telling clients that a person signed out."""

from __future__ import annotations

import logging
from uuid import UUID

from auth.oidc.grants import service as grants
from auth.oidc.logout import service
from auth.oidc.logout.ports import BackchannelLogout
from core import jobs, ports
from core.db import transaction
from core.ports import PartnerRefused

log = logging.getLogger("oidc.logout")


@jobs.task("oidc.tell_signed_out", queue="partners")
def tell(sid: str) -> None:
    """Post the logout token of one sign-on. Twice does no harm; a client that is away is asked again for an hour and a half."""
    with transaction() as session:
        notice = service.notice(session, sid=UUID(sid))
    if notice is None:
        return
    try:
        ports.get(BackchannelLogout).send(notice.address, notice.token)
    except PartnerRefused as refusal:
        log.warning("a client refused a logout token", extra={"sid": sid, "code": refusal.code})
        return
    with transaction() as session:
        grants.told(session, UUID(sid))
