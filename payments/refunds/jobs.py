"""What happens to refunds later. The platform is called between two transactions, never inside one."""

from __future__ import annotations

from uuid import UUID

from core import jobs, ports
from core.db import transaction
from core.money import Fen
from core.ports import PartnerRefused
from payments.orders import queries as orders
from payments.refunds import service
from payments.refunds.ports import RefundPlatform


@jobs.task("refunds.give_back", queue="partners")
def give_back(order_id: str) -> None:
    """Open the refund of surplus money (PY-6, PY-7)."""
    with transaction() as session:
        service.give_back(session, order_id=UUID(order_id))


@jobs.task("refunds.send", queue="partners")
def send(refund_id: str) -> None:
    """Have the platform give the money back; the refund's number is the platform's key, so a repeat can't pay twice."""
    with transaction() as session:
        refund = service.begin_sending(session, refund_id=UUID(refund_id))
        if refund is None:
            return
        order = orders.order(session, refund.order_id)
    try:
        ports.get(RefundPlatform).refund(
            order_no=order.order_no, refund_no=refund.number, amount=Fen(refund.amount_fen), reason="政务服务退费"
        )
    except PartnerRefused as refusal:
        with transaction() as session:
            service.fail(session, refund_id=refund.id, code=refusal.code)
        return
    with transaction() as session:
        service.finish(session, refund_id=refund.id)


@jobs.every("*/30 * * * *", "refunds.resend_overdue")
def resend_overdue() -> None:
    """Send again what is under way for too long."""
    with transaction() as session:
        service.resend_overdue(session)
