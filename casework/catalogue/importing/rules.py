"""What makes a catalogue document sensible, and how its items become versions. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from casework.catalogue.importing.faults.rules import Fault
from casework.catalogue.importing.tariffs import rules as tariffs
from casework.catalogue.linting.rules import Paper, Sheet
from casework.catalogue.rules import (
    CaseType,
    MaterialForm,
    MaterialOrigin,
    Option,
    Question,
    RecipientPolicy,
    ServiceObject,
    is_sample,
)
from casework.catalogue.situations.rules import NO, YES, Effect, Rule
from core.workdays import Unit

FORMS = {"纸质": MaterialForm.PAPER, "电子": MaterialForm.ELECTRONIC, "纸质或电子": MaterialForm.ANY}
ORIGINS = {
    "申请人自备": MaterialOrigin.APPLICANT,
    "政府部门核发": MaterialOrigin.AUTHORITY,
    "第三方出具": MaterialOrigin.THIRD_PARTY,
}
NECESSARY, CONDITIONAL = "必要", "非必要(情形触发)"
CASE_TYPES = {"1": CaseType.INSTANT, "2": CaseType.PROMISED}
OBJECTS = {
    "自然人": ServiceObject.PERSON,
    "企业法人": ServiceObject.ENTERPRISE,
    "事业法人": ServiceObject.INSTITUTION,
    "社会组织法人": ServiceObject.SOCIAL_ORGANISATION,
    "行政机关": ServiceObject.AUTHORITY,
    "其他组织": ServiceObject.OTHER,
}
TAX_PAYEE = "税务机关"

_OPTIONS = [{"value": YES, "label": "是"}, {"value": NO, "label": "否"}]


@dataclass(frozen=True, slots=True)
class Policies:
    """What the city decides about items beside their document: `sample/policies.json`."""

    departments_by_authority: Mapping[str, str]
    sensitive_zones: frozenset[str]
    sensitive_results: tuple[str, ...]
    sensitive_items: frozenset[str]
    self_only_results: tuple[str, ...]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Policies:
        """From the data file. Results are named by how they begin."""
        return cls(
            {name: entry["department"] for name, entry in data["departments_by_authority"].items()},
            frozenset(data["sensitive_zones"]),
            tuple(data["sensitive_results"]),
            frozenset(data["sensitive_items"]),
            tuple(data["self_only_results"]),
        )

    def sensitive(self, item: Mapping[str, Any]) -> bool:
        """Whether a message must not name this matter (3.17)."""
        return (
            item["zone_code"] in self.sensitive_zones
            or item["item_id"] in self.sensitive_items
            or item["result_name"].startswith(self.sensitive_results)
        )

    def recipient(self, item: Mapping[str, Any]) -> RecipientPolicy:
        """Who may receive the result (CR-2)."""
        alone = item["result_name"].startswith(self.self_only_results)
        return RecipientPolicy.SELF_ONLY if alone else RecipientPolicy.PROXY


@dataclass(frozen=True, slots=True)
class Content:
    """A version as it will be written: the row's columns without its keys, and the rows of its parts.

    `others`: the rules and the rows of elements, by name; of a document of version 1.0 only the rules of its tariff.
    """

    item_id: str
    row: dict[str, Any]
    questions: list[dict[str, Any]]
    materials: list[dict[str, Any]]
    fee_lines: list[dict[str, Any]]
    others: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def sheet(content: Content) -> Sheet:
    """What the linter looks at in a version made of a document of version 1.0."""
    return Sheet(
        content.item_id,
        tuple(Question(q["key"], q["text"], tuple(Option(**o) for o in q["options"])) for q in content.questions),
        papers={m["no"]: Paper(m["condition"]) for m in content.materials},
        fees={line["no"]: Paper(by_rule=line.get("by_rule", False)) for line in content.fee_lines},
        rules=tuple(
            Rule(rule["no"], rule["condition"], Effect(rule["effect"]), rule["params"])
            for rule in content.others.get("rules", ())
        ),
    )


def departments(lookups: Mapping[str, Any], policies: Policies) -> dict[str, str]:
    """Authority (2017 name) → department id."""
    return {d["name_2017"]: d["dept_id"] for d in lookups["departments"]} | dict(policies.departments_by_authority)


def faults(document: Mapping[str, Any], policies: Policies) -> Iterator[Fault]:
    """Everything in a well-formed document that makes no sense."""
    lookups, items = document["lookups"], document["items"]
    known = departments(lookups, policies)
    yield from _lookup_faults(lookups, known)
    if document["counts"]["items"] != len(items):
        yield Fault("counts.items", "COUNT", {"said": document["counts"]["items"], "found": len(items)})
    yield from _repeated("items", [item["item_id"] for item in items])
    zones = {zone["zone_code"]: zone["name"] for zone in lookups["zones"]}
    topics = {topic["topic_key"] for topic in [*lookups["joint_topics"], *lookups["packages"]]}
    licences = {licence["licence_key"]: licence["name"] for licence in lookups["licences"]} | {"": ""}
    for i, item in enumerate(items):
        path = f"items.{i}"
        if item["zone_code"] not in zones:
            yield Fault(f"{path}.zone_code", "UNKNOWN_ZONE", {"name": item["zone_code"]})
        elif item["zone_name"] != zones[item["zone_code"]]:
            yield Fault(f"{path}.zone_name", "ZONE_NAME", {"code": item["zone_code"], "name": zones[item["zone_code"]]})
        if item["authority_2017"] not in known:
            yield Fault(f"{path}.authority_2017", "UNKNOWN_DEPARTMENT", {"name": item["authority_2017"]})
        for topic in item["joint_topics"]:
            if topic not in topics:
                yield Fault(f"{path}.joint_topics", "UNKNOWN_TOPIC", {"name": topic})
        yield from _limit_faults(path, item)
        yield from _material_faults(path, item["materials"], licences)
        yield from _fee_faults(path, item["fee"])


def _lookup_faults(lookups: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[Fault]:
    for name, key in (
        ("zones", "zone_code"),
        ("regions", "code"),
        ("dev_zones", "code"),
        ("departments", "dept_id"),
        ("joint_topics", "topic_key"),
        ("packages", "topic_key"),
        ("app_tiles", "tile_id"),
        ("licences", "licence_key"),
    ):
        yield from _repeated(f"lookups.{name}", [row[key] for row in lookups[name]])
    for name, column in (("joint_topics", "lead_authority_2017"), ("app_tiles", "authority_2017")):
        for i, row in enumerate(lookups[name]):
            if row[column] not in known:
                yield Fault(f"lookups.{name}.{i}.{column}", "UNKNOWN_DEPARTMENT", {"name": row[column]})
    for i, topic in enumerate(lookups["joint_topics"]):
        before, after = topic["before_days"], topic["after_days"]
        if before is not None and after is not None and after > before:
            yield Fault(f"lookups.joint_topics.{i}.after_days", "TOPIC_SLOWER")


def _repeated(path: str, keys: Sequence[str]) -> Iterator[Fault]:
    for key, count in Counter(keys).items():
        if count > 1:
            yield Fault(path, "TWICE", {"name": key, "count": count})


def _limit_faults(path: str, item: Mapping[str, Any]) -> Iterator[Fault]:
    at_once = CASE_TYPES[item["case_type_code"]] is CaseType.INSTANT
    code = limits_fault(at_once, item["legal_limit"], item["promised_limit"])
    if code:
        yield Fault(f"{path}.promised_limit", code)


def limits_fault(at_once: bool, law: Mapping[str, Any], promise: Mapping[str, Any]) -> str | None:
    """What is wrong with a promise: 0 is for what is done at once, and never longer than the law allows."""
    if at_once != (promise["value"] == 0):
        return "PROMISE_ZERO"
    # A legal limit of 0 says that the law sets none. n working days last at least n calendar days.
    comparable = law["unit"] == promise["unit"] or (law["unit"], promise["unit"]) == (Unit.NATURAL_DAY, Unit.WORKDAY)
    return "PROMISE_TOO_LONG" if law["value"] and comparable and promise["value"] > law["value"] else None


def _material_faults(path: str, materials: Sequence[Mapping[str, Any]], licences: Mapping[str, str]) -> Iterator[Fault]:
    if [material["material_no"] for material in materials] != list(range(1, len(materials) + 1)):
        yield Fault(f"{path}.materials", "NUMBERING")
    if not any(material["necessity"] == NECESSARY for material in materials):
        yield Fault(f"{path}.materials", "NO_PAPER")
    for i, material in enumerate(materials):
        key, name = material["licence_key"], material["licence_name"]
        if key not in licences:
            yield Fault(f"{path}.materials.{i}.licence_key", "UNKNOWN_LICENCE", {"name": key})
        elif licences[key] != name:
            yield Fault(
                f"{path}.materials.{i}.licence_name", "LICENCE_NAME", {"key": key or "(none)", "name": licences[key]}
            )
        if material["waivable"] != bool(key):
            yield Fault(f"{path}.materials.{i}.waivable", "WAIVABLE")


def _fee_faults(path: str, fee: Mapping[str, Any]) -> Iterator[Fault]:
    if fee["is_fee"] != any(line["amount_cents"] != 0 for line in fee["lines"]):
        yield Fault(f"{path}.fee.is_fee", "FEE_OR_NONE")
    for i, line in enumerate(fee["lines"]):
        if (line["amount_cents"] is None) != bool(line["formula"]):
            yield Fault(f"{path}.fee.lines.{i}", "AMOUNT_OR_FORMULA")
        if line["payee"] == TAX_PAYEE and line["prepayable"]:
            yield Fault(f"{path}.fee.lines.{i}.prepayable", "TAX_PREPAID")


def questions(
    item: Mapping[str, Any], wording: Mapping[str, Mapping[str, str]]
) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """A yes-or-no question for each paper that depends on the situation; and paper number → question key.

    `wording`: paper number (as text) → key and text. A paper without wording asks by its own name. Papers with the same
    key share one question.
    """
    asked: dict[str, str] = {}
    conditions: dict[int, str] = {}
    for material in item["materials"]:
        if material["necessity"] != CONDITIONAL:
            continue
        no = material["material_no"]
        words = wording.get(str(no), {"key": f"material_{no}", "text": f"是否属于需要提交“{material['name']}”的情形？"})
        asked.setdefault(words["key"], words["text"])
        conditions[no] = words["key"]
    rows = [
        {"key": key, "position": position, "text": text, "options": _OPTIONS}
        for position, (key, text) in enumerate(asked.items(), 1)
    ]
    return rows, conditions


# Read by another name or in another form; everything else goes into the row as it is.
_CONVERTED = {
    "item_id", "zone_name", "authority_now", "item_type_code", "item_type", "case_type_code", "case_type",
    "service_objects", "legal_limit", "promised_limit", "materials", "fee", "result_carrier",
}  # fmt: skip
_LINE_SAME = ("name", "formula", "unit", "basis", "prepayable", "payee")
_MATERIAL_SAME = ("name", "copies", "waivable")


def content_maker(
    document: Mapping[str, Any],
    policies: Policies,
    wording: Mapping[str, Mapping[str, Mapping[str, str]]],
    by_situation: Mapping[str, tariffs.Tariff],
) -> Callable[[Mapping[str, Any]], Content]:
    """A function from an item of a faultless `document` to what will be written of it."""
    by_authority = departments(document["lookups"], policies)

    def content(item: Mapping[str, Any]) -> Content:
        asked, conditions = questions(item, wording.get(item["item_id"], {}))
        asked, fee_lines, rules = tariffs.apply(by_situation.get(item["item_id"], {}), asked, _fee_lines(item["fee"]))
        law, promise, fee = item["legal_limit"], item["promised_limit"], item["fee"]
        row = {name: value for name, value in item.items() if name not in _CONVERTED} | {
            "authority": item["authority_now"],
            "department_id": by_authority[item["authority_2017"]],
            "type_code": item["item_type_code"],
            "type_name": item["item_type"],
            "case_type": CASE_TYPES[item["case_type_code"]],
            "service_objects": [OBJECTS[name] for name in item["service_objects"]],
            "legal_limit": law["value"],
            "legal_limit_unit": law["unit"],
            "legal_limit_note": law["note"],
            "promised_limit": promise["value"],
            "promised_limit_unit": promise["unit"],
            "promised_limit_note": promise["note"],
            "result_form": FORMS[item["result_carrier"]],
            "is_fee": fee["is_fee"],
            "pay_online": fee["pay_online"],
            "is_sample": is_sample(item["catalog_code"]),
            "sensitive": policies.sensitive(item),
            "recipient_policy": policies.recipient(item),
        }
        return Content(
            item["item_id"],
            row,
            asked,
            [_material(material, conditions, row["trips_to_hall"]) for material in item["materials"]],
            fee_lines,
            {"rules": rules} if rules else {},
        )

    return content


def _fee_lines(fee: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {name: line[name] for name in _LINE_SAME} | {"no": no, "amount_fen": line["amount_cents"]}
        for no, line in enumerate(fee["lines"], 1)
    ]


def _material(material: Mapping[str, Any], conditions: Mapping[int, str], trips: int) -> dict[str, Any]:
    form = FORMS[material["form"]]
    no = material["material_no"]
    return {name: material[name] for name in _MATERIAL_SAME} | {
        "no": no,
        "position": no,
        "required": no not in conditions,
        "condition": conditions.get(no),
        "origin": ORIGINS[material["origin"]],
        "form": form,
        "licence_key": material["licence_key"] or None,
        "tolerable": material["tolerable_defect"],
        # Who comes to the hall shows the original of any paper that no data can replace.
        "original_required": trips > 0 and form is not MaterialForm.ELECTRONIC and not material["waivable"],
    }
