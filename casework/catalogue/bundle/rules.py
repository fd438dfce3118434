"""What an entry of the offline bundle says, and what changed between two bundles. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FORMAT = 1
"""Of the documents; counts up when a client of before couldn't read them."""
KEPT = 10
"""How many bundles are kept: a phone with an older one takes the whole (default)."""
FOLLOW = "* * * * *"
"""How often it is looked whether a new one is needed: at most one a minute, and the first minute of a day (default)."""
ALGORITHM = "ES256"
CURVE = "P-256"

_DIGEST_CHARACTERS = 16


def entry(row: Any) -> dict[str, Any]:
    """An item in short keys, from a row of `queries.rows`. What is empty, zero or untrue is left out."""
    return _filled(
        {
            "i": row.item_id,
            "v": row.version,
            "n": row.name,
            "z": row.zone_code,
            "d": row.department_id,
            "l": _limit(row.legal_limit, row.legal_limit_unit, row.legal_limit_note),
            "p": _limit(row.promised_limit, row.promised_limit_unit, row.promised_limit_note),
            "m": [_paper(part) for part in row.materials],
            "y": int(row.is_fee),
            "f": [_fee(part) for part in row.fee_lines],
            "a": row.address,
            "h": row.hours,
            "c": row.consult,
            "t": row.supervise,
            "s": int(row.is_sample),
        }
    )


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "", 0, [])}


def _limit(value: int, unit: str, note: str) -> list[Any]:
    return [value, unit, note] if note else [value, unit]


def _paper(part: Mapping[str, Any]) -> dict[str, Any]:
    return _filled(
        {
            "n": part["name"],
            "r": int(part["required"]),
            "q": part["condition"],
            "b": int(part["by_rule"]),
            "g": part["alternative_group"],
            "k": part["copies"] if part["copies"] > 1 else 0,
            "o": int(part["original_required"]),
            "w": int(part["waivable"]),
            "t": int(part["tolerable"]),
        }
    )


def _fee(part: Mapping[str, Any]) -> dict[str, Any]:
    # An amount of nothing is said: without one the line is computed elsewhere.
    amount = {} if part["amount_fen"] is None else {"a": part["amount_fen"]}
    return amount | _filled({"n": part["name"], "x": part["formula"], "u": part["unit"], "b": int(part["by_rule"])})


def digest(content: bytes) -> str:
    """What tells one content of an item from another."""
    return hashlib.sha256(content).hexdigest()[:_DIGEST_CHARACTERS]


@dataclass(frozen=True, slots=True)
class Difference:
    """The ids of what came, what is otherwise now, and what went; each sorted."""

    added: Sequence[str]
    changed: Sequence[str]
    removed: Sequence[str]


def difference(old: Mapping[str, str], new: Mapping[str, str]) -> Difference:
    """What leads from `old` to `new`; both say the digest of each item."""
    return Difference(
        added=sorted(new.keys() - old.keys()),
        changed=sorted(key for key in new.keys() & old.keys() if new[key] != old[key]),
        removed=sorted(old.keys() - new.keys()),
    )
