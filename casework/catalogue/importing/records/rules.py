"""Records: all that a version says, whatever file it came in. Pure.

A record has the elements of `drafts.ports.SECTIONS` by name, and those of `BESIDE`. A file says some of them (`Said`): what it
doesn't say stays as it is, so that a format which can't express an element never loses it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import marshmallow as ma

from casework.catalogue.differences.rules import PARTS
from casework.catalogue.drafts.ports import SECTIONS
from casework.catalogue.importing.faults.rules import Fault, Place, shape, situation
from casework.catalogue.importing.rules import TAX_PAYEE, Content, limits_fault
from casework.catalogue.importing.shapes.rules import Sure, sure
from casework.catalogue.linting.rules import Paper, Sheet, sheet_faults
from casework.catalogue.rules import (
    CaseType,
    MaterialForm,
    MaterialOrigin,
    Option,
    Question,
    RecipientPolicy,
    is_sample,
)
from casework.catalogue.situations.rules import NO, YES, Effect, Rule, condition_fault, params_fault
from core.workdays import Unit

Record = dict[str, Any]

BESIDE: dict[str, ma.fields.Field[Any]] = {
    "department_id": ma.fields.String(required=True),
    "authority_2017": ma.fields.String(required=True, validate=ma.validate.Length(0, 500)),
    "seed_fact": ma.fields.String(required=True, validate=ma.validate.Length(0, 5_000)),
    "source": ma.fields.Dict(required=True),
    "confidence": ma.fields.Dict(required=True, keys=ma.fields.String(), values=ma.fields.String()),
}
"""What a record says beside the sections of a draft: whose it is and where the knowledge comes from."""
FIELDS = tuple(name for shapes in SECTIONS.values() for name in shapes) + tuple(BESIDE)
_LIMITS = ("legal_limit", "promised_limit")
_COLUMNS = tuple(name for name in FIELDS if name not in PARTS)

ITEM_TYPES = {
    "01": "行政许可", "02": "行政处罚", "03": "行政强制", "04": "行政征收", "05": "行政给付", "06": "行政检查", "07": "行政确认",
    "08": "行政奖励", "09": "行政裁决", "10": "其他行政权力", "20": "公共服务",
}  # fmt: skip
"""事项类型 (GB/T 39046 A.1)."""

DEFAULTS: Record = {
    "local_catalog_code": "", "local_task_code": "", "handle_item_code": "", "use_levels": [], "authority_code": "",
    "authority_type": "", "power_source": "", "joint_departments": [], "joint_topics": [], "intermediary": "",
    "quantity_limit": "", "serve_scope": "", "sensitive": False, "hot": False, "sub_items": [], "legal_basis": [],
    "legal_limit_note": "", "promised_limit_note": "", "conditions": "", "special_procedures": "",
    "special_procedure_rows": [], "process_steps": [], "channels": ["窗口"], "handle_forms": [], "online_depth": "I",
    "online_depth_note": "", "online_depths": [], "online": False, "self_service": False, "in_hall": True,
    "trips_to_hall": 1, "trips_reason": "", "mobile_url": "", "mobile_single_sign_on": False, "address": "", "hours": "",
    "consult": "", "supervise": "", "steps": [], "common_questions": [], "bookable": False, "daily_bookings": None,
    "booking_rule": "", "pre_review": False, "deliverable": False, "avg_handle_minutes": 15, "biometric_on_site": "",
    "agent_allowed": True, "agent_friendly": False, "minor_rule": "", "min_auth_level": 2, "paused": False,
    "pause_reason": "", "result_type": "",
    "result_form": MaterialForm.ANY.value, "recipient_policy": RecipientPolicy.PROXY.value,
    "original_return_required": False, "result_samples": [], "is_fee": False, "pay_online": False, "fee_basis": "",
    "fee_lines": [], "materials": [], "questions": [], "rules": [], "authority_2017": "", "seed_fact": "",
    "source": {"kind": "imported"}, "confidence": {}, "legal_limit": {"value": 0, "unit": Unit.WORKDAY.value},
}  # fmt: skip
"""What holds for a new item where its file says nothing [D]. What isn't here must be said."""

ROW_DEFAULTS: dict[str, Record] = {
    "materials": {
        "required": True, "origin": MaterialOrigin.APPLICANT.value, "form": MaterialForm.ANY.value, "copies": 1,
        "waivable": False, "licence_key": "", "tolerable": False, "original_required": False, "condition": None,
        "by_rule": False, "alternative_group": "", "type_code": "", "origin_note": "", "originals": None,
        "photocopies": None, "validity_months": None, "specification": "", "filling_notes": "",
        "acceptance_standard": "", "basis": "", "blank_form": "", "sample_form": "",
    },
    "fee_lines": {
        "amount_fen": None, "formula": "", "unit": "件", "basis": "—", "prepayable": False, "payee": "财政非税账户",
        "by_rule": False, "reducible": False, "reduction_note": "",
    },
    "questions": {"asked_when": None}, "rules": {}, "sub_items": {"note": ""},
    "steps": {"owner": "", "days": None, "standard": "", "result": ""},
    "special_procedure_rows": {"days": None, "unit": Unit.WORKDAY.value, "law": "", "is_fee": False, "counted": False},
    "result_samples": {"file": ""}, "common_questions": {},
}  # fmt: skip
_OPTIONS = [{"value": YES, "label": "是"}, {"value": NO, "label": "否"}]
SITUATIONAL = "situational"
"""A paper's mark that it isn't always needed, in formats that can't say when."""


def _whole_document(path: str) -> Place:  # noqa: ARG001  # a document's place is its path
    return Place()


@dataclass(slots=True)
class Said:
    """What a file says of one item. `at`: where it says so; `bad`: places that have been found faulty already."""

    item_id: str
    path: str
    fields: Record
    at: Callable[[str], Place] = _whole_document
    bad: set[str] = field(default_factory=set)

    def fault(self, path: str, code: str, **params: Any) -> Fault:
        """A fault at a place within the item."""
        place = self.at(path)
        return Fault(str(place) or f"{self.path}.{path}", code, params, place)


@dataclass(frozen=True, slots=True)
class Known:
    """What records may refer to."""

    zones: Collection[str]
    departments: Collection[str]
    topics: Collection[str]
    licences: Collection[str]
    items: Collection[str]


@cache
def record_schema() -> ma.Schema:
    """The shape of a record."""
    shapes = {name: inner for section in SECTIONS.values() for name, inner in section.items()}
    return ma.Schema.from_dict(shapes | BESIDE)()


@cache
def _sure() -> Sure:
    return sure(record_schema())


def complete(said: Said, current: Record | None) -> Record:
    """The whole record: what isn't said stays as in `current`, or is what `DEFAULTS` say for a new item."""
    made: Record = {**DEFAULTS, **(current or {})}
    for name, value in said.fields.items():
        if name in PARTS and isinstance(value, list):
            made[name] = [_row(name, row, made[name]) for row in value]
        elif name in _LIMITS and isinstance(value, Mapping):
            made[name] = {"unit": Unit.WORKDAY.value, **made.get(name, {}), **value}
        else:
            made[name] = value
    if "type_name" not in said.fields and made.get("type_code") != (current or {}).get("type_code"):
        made["type_name"] = ITEM_TYPES.get(str(made.get("type_code")), "")
    _ask_about_situations(made)
    return made


def _row(part: str, row: Any, existing: Sequence[Mapping[str, Any]]) -> Any:
    if not isinstance(row, Mapping):
        return row
    key = PARTS[part]
    before = next((old for old in existing if isinstance(old, Mapping) and old[key] == row.get(key)), {})
    made = {**ROW_DEFAULTS[part], **before, **row}
    if part == "materials" and SITUATIONAL in made:
        depends = made.pop(SITUATIONAL)
        if not depends:
            made |= {"required": True, "condition": None, "by_rule": False}
        elif made["condition"] is None and not made["by_rule"]:
            made |= {"required": False, "condition": f"material_{made.get('no')}"}
    return made


def _ask_about_situations(record: Record) -> None:
    """Ask for the situation that a paper depends on, where a format could only say that there is one (S23)."""
    if not all(isinstance(row, Mapping) for row in (*record["questions"], *record["materials"])):
        return
    asked = {row.get("key") for row in record["questions"]}
    for paper in record["materials"]:
        key = paper.get("condition")
        if key == f"material_{paper.get('no')}" and key not in asked:
            text = f"是否属于需要提交“{paper.get('name')}”的情形？"
            record["questions"] = [
                *record["questions"], {"key": key, "text": text, "options": _OPTIONS, "asked_when": None},
            ]  # fmt: skip


def checked(said: Said, record: Record, known: Known, current: Record | None) -> tuple[Record, list[Fault]]:
    """The record in its proper shape, and everything that is wrong with it.

    Sense is looked at when the shape is right, and the record differs from `current`.
    """
    try:
        loaded: Record = record if _sure()(record) else record_schema().load(record)
    except ma.ValidationError as refused:
        return record, list(_shape_faults(said, record, "", refused.messages))
    if said.bad or loaded == current:
        return loaded, []
    found = [*_references(said, loaded, known), *_sense(said, loaded)]
    if not found:
        sheet = Sheet(
            said.item_id,
            tuple(
                Question(q["key"], q["text"], tuple(Option(**o) for o in q["options"]), q["asked_when"])
                for q in loaded["questions"]
            ),
            {m["no"]: Paper(m["condition"], m["by_rule"]) for m in loaded["materials"]},
            {line["no"]: Paper(None, line["by_rule"]) for line in loaded["fee_lines"]},
            tuple(Rule(r["no"], r["condition"], Effect(r["effect"]), r["params"]) for r in loaded["rules"]),
        )
        for fault in sheet_faults(sheet, known.items):
            place = said.at(fault.path)
            found.append(situation(str(place) or f"{said.path}.{fault.path}", fault.problem, fault.mend, place))
    return loaded, found


def _shape_faults(said: Said, record: Record, path: str, messages: Any) -> Iterator[Fault]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _shape_faults(said, record, f"{path}.{key}" if path else str(key), inner)
    elif not any(path == bad or path.startswith(f"{bad}.") for bad in said.bad):
        place = said.at(path)
        if _value(record, path) in ("", []):
            yield said.fault(path, "NO_ZONE" if path == "zone_code" and record.get("department_id") else "MISSING")
            return
        for message in messages:
            yield shape(str(place) or f"{said.path}.{path}", str(message), place)


def _value(record: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(record, Mapping):
            record = record.get(part)
        elif isinstance(record, Sequence) and not isinstance(record, str) and part.isdecimal():
            record = record[int(part)]
    return record


def _references(said: Said, record: Record, known: Known) -> Iterator[Fault]:
    if record["zone_code"] not in known.zones:
        yield said.fault("zone_code", "UNKNOWN_ZONE", name=record["zone_code"])
    if record["department_id"] not in known.departments:
        path = "department_id" if record["department_id"] else "authority"
        yield said.fault(path, "UNKNOWN_DEPARTMENT", name=record[path])
    for topic in record["joint_topics"]:
        if topic not in known.topics:
            yield said.fault("joint_topics", "UNKNOWN_TOPIC", name=topic)
    for i, paper in enumerate(record["materials"]):
        if paper["licence_key"] and paper["licence_key"] not in known.licences:
            yield said.fault(f"materials.{i}.licence_key", "UNKNOWN_LICENCE", name=paper["licence_key"])


def _sense(said: Said, record: Record) -> Iterator[Fault]:
    code = limits_fault(record["case_type"] == CaseType.INSTANT, record["legal_limit"], record["promised_limit"])
    if code:
        yield said.fault("promised_limit", code)
    if record["trips_to_hall"] > 1 and not record["trips_reason"]:
        yield said.fault("trips_reason", "TRIPS_REASON")
    for part, key in PARTS.items():
        keys = [row[key] for row in record[part]]
        for i, name in enumerate(keys):
            if name in keys[:i]:
                yield said.fault(f"{part}.{i}.{key}", "TWICE", name=name, count=keys.count(name))
    asked = {question["key"] for question in record["questions"]}
    for i, paper in enumerate(record["materials"]):
        at = f"materials.{i}"
        if paper["condition"] is not None and paper["condition"] not in asked:
            yield said.fault(f"{at}.condition", "CONDITION", name=paper["condition"])
        if paper["required"] != (paper["condition"] is None and not paper["by_rule"]) or (
            paper["condition"] and paper["by_rule"]
        ):
            yield said.fault(f"{at}.required", "NECESSITY")
        if paper["waivable"] != bool(paper["licence_key"]):
            yield said.fault(f"{at}.waivable", "WAIVABLE")
    for i, line in enumerate(record["fee_lines"]):
        if (line["amount_fen"] is None) != bool(line["formula"]):
            yield said.fault(f"fee_lines.{i}.amount_fen", "AMOUNT_OR_FORMULA")
        if line["payee"] == TAX_PAYEE and line["prepayable"]:
            yield said.fault(f"fee_lines.{i}.prepayable", "TAX_PREPAID")
    yield from _expressions(said, record)


def _expressions(said: Said, record: Record) -> Iterator[Fault]:
    for i, question in enumerate(record["questions"]):
        if len(question["options"]) < 2:
            yield said.fault(f"questions.{i}.options", "SHAPE", zh="至少两个选项", en="at least two options")
        if question["asked_when"] is not None and (told := condition_fault(question["asked_when"])):
            yield _told(said, f"questions.{i}.asked_when", told)
    for i, rule in enumerate(record["rules"]):
        if told := condition_fault(rule["condition"]):
            yield _told(said, f"rules.{i}.condition", told)
        if told := params_fault(Effect(rule["effect"]), rule["params"]):
            yield _told(said, f"rules.{i}.params", told)


def _told(said: Said, path: str, text: str) -> Fault:
    zh, _, en = text.partition(" / ")
    return said.fault(path, "SHAPE", zh=zh, en=en or zh)


def content(item_id: str, record: Record) -> Content:
    """A checked record as it is written."""
    row = {name: record[name] for name in _COLUMNS if name not in _LIMITS}
    for name in _LIMITS:
        row |= {name: record[name]["value"], f"{name}_unit": record[name]["unit"]}
    row["is_sample"] = is_sample(record["catalog_code"])
    places = enumerate(record["questions"], 1), enumerate(record["materials"], 1)
    return Content(
        item_id,
        row,
        [question | {"position": place} for place, question in places[0]],
        [paper | {"position": place, "licence_key": paper["licence_key"] or None} for place, paper in places[1]],
        record["fee_lines"],
        {name: record[name] for name in PARTS if name not in {"questions", "materials", "fee_lines"}},
    )


def said_by(written: Content) -> Record:
    """What a content says, as a file would: the other way round to `content`, without what is derived."""
    row = {name: value for name, value in written.row.items() if name in FIELDS and name not in _LIMITS}
    for name in _LIMITS:
        row[name] = {"value": written.row[name], "unit": written.row[f"{name}_unit"]}
    for name, rows in {
        "questions": written.questions, "materials": written.materials, "fee_lines": written.fee_lines, **written.others,
    }.items():  # fmt: skip
        row[name] = [{key: value for key, value in part.items() if key != "position"} for part in rows]
    for paper in row["materials"]:
        paper["licence_key"] = paper["licence_key"] or ""
    return row
