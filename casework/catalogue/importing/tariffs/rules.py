"""Fee lines by situation, beside a document of version 1.0, which lists them all alike. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casework.catalogue.situations.rules import Effect

Row = dict[str, Any]
Tariff = Mapping[str, Any]
"""`questions`: what decides about the lines beside what is asked for the papers; `lines`: name of a line → its condition."""


def apply(tariff: Tariff, questions: Sequence[Row], fee_lines: Sequence[Row]) -> tuple[list[Row], list[Row], list[Row]]:
    """The questions, the fee lines and the rules of an item: each line that the tariff names holds on its condition only.

    A document whose lines bear other names has another tariff: it stays as it is, without any rule.
    """
    by_name = {line["name"]: line["no"] for line in fee_lines}
    if not tariff or not by_name.keys() >= tariff["lines"].keys():
        return list(questions), list(fee_lines), []
    first = len(questions) + 1
    asked = [row | {"position": position} for position, row in enumerate(tariff["questions"], first)]
    rules = [
        {"no": no, "condition": condition, "effect": Effect.ADD_FEE.value, "params": {"fee": by_name[name]}}
        for no, (name, condition) in enumerate(tariff["lines"].items(), 1)
    ]
    lines = [line | {"by_rule": line["name"] in tariff["lines"]} for line in fee_lines]
    return [*questions, *asked], lines, rules
