"""From an item's fee lines to bill lines. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from casework.catalogue.rules import FeeLine, Item, outcome
from casework.catalogue.situations.rules import walk
from casework.fees.errors import NothingToBill
from payments.bills.rules import Line


def lines_of(item: Item, answers: Mapping[str, str]) -> tuple[FeeLine, ...]:
    """The fee lines of the situation that `answers` to the item's questions describe (S23)."""
    listed = outcome(item, walk(item.questions, answers).known).fees
    return tuple(line for line in item.fee_lines if line.no in listed)


def lines_by_payee(fee_lines: Sequence[FeeLine], quantities: Mapping[int, int]) -> dict[str, list[Line]]:
    """The bill lines of the chosen fee lines, one bill per payee (PY-3). `quantities`: fee line number → how many.

    Only lines with a fixed amount that may be prepaid can be billed: tax is paid to the tax authority on its own channel, and
    a formula is never guessed (RE-4, RE-8). Raises `NothingToBill` naming the lines that can't.
    """
    by_no = {line.no: line for line in fee_lines}
    bills: dict[str, list[Line]] = {}
    faults: dict[str, list[str]] = {}
    for no, quantity in sorted(quantities.items()):
        line = by_no.get(no)
        if line is None or line.amount_fen is None or not line.prepayable:
            faults[f"quantities.{no}"] = ["此项目不能在此收取 / this line can't be billed here"]
        elif quantity:
            bills.setdefault(line.payee, []).append(
                Line(name=line.name, basis=line.basis, standard=line.unit, unit_fen=line.amount_fen, quantity=quantity)
            )
    if faults or not bills:
        raise NothingToBill(fields=faults)
    return bills
