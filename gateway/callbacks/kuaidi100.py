"""快递100's reports on orders and parcels (CR-15, CR-16).

Its signature is weak (MD5 with a salt), so the path carries a secret and each shipment its own salt. The raw body is stored
first, the success answer follows at once, and the work is a job's.
"""

from __future__ import annotations

from uuid import UUID

from flask import Response, current_app, request

from casework.delivery import queries
from casework.delivery.ports import CallbackAddress, Courier
from core import callbacks, jobs, ports
from core.crypto import constant_time_equal
from core.db import transaction
from core.errors import NotFound, SignatureInvalid
from core.web import access
from core.web.blueprint import Blueprint
from partners.couriers.kuaidi100 import ANSWER, NAME

blp = Blueprint(
    "kuaidi100", __name__, url_prefix="/callbacks/kuaidi100", description="快递100 回调 / Courier callbacks"
)


@blp.post("/<secret>/<uuid:shipment_id>")
@access.partner(NAME)
@blp.response(200, description="Stored; worked in later")
def report(secret: str, shipment_id: UUID) -> Response:
    """Take a report on a parcel or its order."""
    if not constant_time_equal(secret, ports.get(CallbackAddress).path_secret):
        raise NotFound()
    body = request.get_data()
    with transaction() as session:
        kept = callbacks.store(
            session,
            partner=NAME,
            event_key=f"{shipment_id}:{callbacks.digest_key(body)}",
            body=body,
            content_type=request.mimetype,
        )
        salt = queries.salt_of(session, shipment_id) or ""
        genuine = _genuine(body, salt)
        if kept.first and genuine:
            jobs.defer(
                session,
                "delivery.apply_callback",
                lock=f"shipment:{shipment_id}",
                callback_id=str(kept.id),
                shipment_id=str(shipment_id),
            )
        elif kept.first:
            callbacks.finish(session, kept.id, "REFUSED", "signature")
    if not genuine:
        raise SignatureInvalid()
    return current_app.response_class(ANSWER, content_type="application/json")


def _genuine(body: bytes, salt: str) -> bool:
    try:
        ports.get(Courier).read_callback(body, salt)
    except SignatureInvalid:
        return False
    return True
