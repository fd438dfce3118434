"""Elements that contradict each other, or that are no use without another. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from casework.catalogue.elements.rules import Elements
from casework.catalogue.importing.faults.rules import Fault
from casework.catalogue.importing.rules import limits_fault
from casework.catalogue.linting.rules import LintFault
from casework.catalogue.rules import CaseType, Item


def element_faults(item: Item, elements: Elements) -> list[LintFault]:
    """Everything that the elements of a version don't say together: why more than one trip, a promise within the law, fees."""
    return [LintFault(item.item_id, *fault) for look in (_trips, _limits, _fees) for fault in look(item, elements)]


_Found = Iterator[tuple[str, str, str]]


def _trips(item: Item, elements: Elements) -> _Found:
    if item.trips_to_hall > 1 and not elements.trips_reason:
        yield (
            "trips_reason",
            "到现场多于一次，未说明原因 / more than one trip without a reason",
            "请填写原因或减少次数 / give the reason or cut the trips",
        )


def _limits(item: Item, elements: Elements) -> _Found:  # noqa: ARG001
    law, promise = ({"value": limit.value, "unit": limit.unit} for limit in (item.legal_limit, item.promised_limit))
    code = limits_fault(item.case_type is CaseType.INSTANT, law, promise)
    if code is not None:
        told = Fault("promised_limit", code).told()
        yield "promised_limit", told["problem"], told["mend"]


def _fees(item: Item, elements: Elements) -> _Found:  # noqa: ARG001
    charged = [line.no for line in item.fee_lines if line.formula or line.amount_fen]
    if charged and not item.is_fee:
        yield (
            "is_fee",
            "写明不收费，却有收费项 / said to be free, but fee lines charge",
            f"请改为收费，或将收费项 {charged} 改为零 / say that it charges, or set these lines to zero",
        )
    if item.is_fee and not item.fee_lines:
        yield (
            "fee_lines",
            "写明收费，却没有收费项 / said to charge, but there is no fee line",
            "请添加收费项，或改为不收费 / add the fee lines, or say that it is free",
        )
