"""What is surely right is what the schema loads unchanged; and real records are surely right."""

from __future__ import annotations

import copy
from typing import Any

import marshmallow as ma
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from casework.catalogue.importing.records import queries
from casework.catalogue.importing.records.rules import BESIDE, DEFAULTS, ROW_DEFAULTS, record_schema
from casework.catalogue.importing.shapes.rules import sure
from core import clock

SURE = sure(record_schema())
BASE: dict[str, Any] = DEFAULTS | {
    "name": "事项", "zone_code": "Z4", "authority": "局", "catalog_code": "A", "task_code": "B", "type_code": "01",
    "type_name": "许可", "case_type": "PROMISED", "use_level": "市级", "service_objects": ["PERSON"], "department_id": "D1",
    "promised_limit": {"value": 1, "unit": "WORKDAY"}, "result_name": "证", "legal_basis": [{"name": "法", "clause": "一"}],
    "materials": [ROW_DEFAULTS["materials"] | {"no": 1, "name": "申请表"}],
    "common_questions": [{"no": 1, "question": "问", "answer": "答"}],
}  # fmt: skip
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 2_000), st.floats(allow_nan=False), st.text(max_size=8),
    st.sampled_from(["WORKDAY", " x ", "a\nb", "a\tb", "a\x00b", "\n", "https://x.cn/", "2", "\u2028", "", "A" * 6_000]),
    st.lists(st.one_of(st.text(max_size=3), st.integers()), max_size=3), st.dictionaries(st.text(max_size=3), st.text(max_size=3)),
)  # fmt: skip


def loads(record: Any) -> bool:
    try:
        return bool(record_schema().load(copy.deepcopy(record)) == record)
    except ma.ValidationError:
        return False


def paths(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [before] if before else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [path for key, inner in items for path in paths(inner, (*before, key))]


PATHS = paths(BASE)


@given(st.sampled_from(PATHS), ODD)
@example(("name",), "a\nb")
@example(("materials", 0, "copies"), True)
@settings(max_examples=400)
def test_whatever_is_put_anywhere_is_never_taken_for_right_when_the_schema_refuses_it(
    path: tuple[Any, ...], odd: Any
) -> None:
    record = copy.deepcopy(BASE)
    *way, last = path
    inner: Any = record
    for key in way:
        inner = inner[key]
    inner[last] = odd
    assert not SURE(record) or loads(record)


@pytest.mark.parametrize("name", [*BASE, "colour"])
def test_a_field_less_or_more_is_never_sure(name: str) -> None:
    record = {key: value for key, value in BASE.items() if key != name}
    if name == "colour":
        record[name] = "red"
    assert SURE(BASE)
    assert loads(BASE)
    assert not SURE(record)


def test_every_record_of_the_sample_is_sure(session: Session) -> None:
    versions = [one.version_id for one in queries.current(session, clock.today()).values()]
    found = dict(queries.records(session, versions))
    assert len(found) == 114
    assert [item for item, record in found.items() if not SURE(record)] == []
    assert BESIDE.keys() <= next(iter(found.values())).keys()
