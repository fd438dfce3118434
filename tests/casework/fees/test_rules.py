"""Which fee lines can be billed (PY-1, PY-3; tax is not a fee)."""

import pytest

from casework.catalogue.rules import FeeLine
from casework.fees.errors import NothingToBill
from casework.fees.rules import lines_by_payee


def _line(no: int, amount: int | None = 8000, *, prepayable: bool = True, payee: str = "财政非税账户") -> FeeLine:
    return FeeLine(
        no=no,
        name=f"费{no}",
        amount_fen=amount,
        formula="",
        unit="件",
        basis="依据",
        prepayable=prepayable,
        payee=payee,
    )


def test_one_bill_per_payee() -> None:
    bills = lines_by_payee([_line(1), _line(2, 1000), _line(3, 500, payee="企业")], {1: 1, 2: 3, 3: 1})
    assert {payee: [(line.unit_fen, line.quantity) for line in lines] for payee, lines in bills.items()} == {
        "财政非税账户": [(8000, 1), (1000, 3)],
        "企业": [(500, 1)],
    }


@pytest.mark.parametrize(
    "line", [_line(4, None, prepayable=False, payee="税务机关"), _line(4, None), _line(4, prepayable=False)]
)
def test_tax_formulas_and_lines_not_prepayable_are_never_billed(line: FeeLine) -> None:
    with pytest.raises(NothingToBill) as refused:
        lines_by_payee([_line(1), line], {1: 1, 4: 1})
    assert list(refused.value.fields) == ["quantities.4"]


def test_unknown_lines_and_empty_choices_are_refused() -> None:
    for quantities in ({9: 1}, {1: 0}, {}):
        with pytest.raises(NothingToBill):
            lines_by_payee([_line(1)], quantities)
