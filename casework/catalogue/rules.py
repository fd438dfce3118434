"""What an item is, which papers a situation needs. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from casework.catalogue.situations.rules import YES, Condition, Outcome, Rule, Walk, apply, walk
from core.errors import InvalidInput
from core.workdays import Limit, Unit


class VersionState(StrEnum):
    """The states of an item version (S22).

    In force on a day is the one `LIVE` version whose days include it. RETIRED: in force until its end, then no more.
    WITHDRAWN: a draft that was given up, or a publication taken back before its first day.
    """

    DRAFT = "DRAFT"
    IN_REVIEW = "IN_REVIEW"
    PUBLISHED = "PUBLISHED"
    RETIRED = "RETIRED"
    WITHDRAWN = "WITHDRAWN"


TRANSITIONS: dict[VersionState, frozenset[VersionState]] = {
    # An import publishes its draft at once; what item managers write is reviewed first.
    VersionState.DRAFT: frozenset({VersionState.IN_REVIEW, VersionState.PUBLISHED, VersionState.WITHDRAWN}),
    VersionState.IN_REVIEW: frozenset({VersionState.DRAFT, VersionState.PUBLISHED, VersionState.WITHDRAWN}),
    VersionState.PUBLISHED: frozenset({VersionState.RETIRED, VersionState.WITHDRAWN}),
    # The end of an item is taken back before its day.
    VersionState.RETIRED: frozenset({VersionState.PUBLISHED}),
    VersionState.WITHDRAWN: frozenset(),
}

LIVE = (VersionState.PUBLISHED, VersionState.RETIRED)
"""The states in which a version is law on its days."""


class GoneKind(StrEnum):
    """What became of an item that ended: its code is never given again."""

    RENAMED = "RENAMED"
    SPLIT = "SPLIT"
    MERGED = "MERGED"
    MOVED = "MOVED"
    SUCCEEDED = "SUCCEEDED"
    ENDED = "ENDED"


class CaseType(StrEnum):
    """办件类型 (GB/T 39046 A.6)."""

    INSTANT = "INSTANT"
    PROMISED = "PROMISED"
    OTHER_CASE = "OTHER_CASE"


class ServiceObject(StrEnum):
    """服务对象 (A.4): whom an item serves."""

    PERSON = "PERSON"
    ENTERPRISE = "ENTERPRISE"
    INSTITUTION = "INSTITUTION"
    SOCIAL_ORGANISATION = "SOCIAL_ORGANISATION"
    AUTHORITY = "AUTHORITY"
    OTHER = "OTHER"


class MaterialForm(StrEnum):
    """材料形式."""

    PAPER = "PAPER"
    ELECTRONIC = "ELECTRONIC"
    ANY = "ANY"


class MaterialOrigin(StrEnum):
    """来源渠道."""

    APPLICANT = "APPLICANT"
    AUTHORITY = "AUTHORITY"
    THIRD_PARTY = "THIRD_PARTY"


class RecipientPolicy(StrEnum):
    """Who may receive the result (CR-2): the right-holder alone, or a proxy with an authorisation too."""

    SELF_ONLY = "SELF_ONLY"
    PROXY = "PROXY"


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to a question."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question about the situation (情形)."""

    key: str
    text: str
    options: tuple[Option, ...]
    asked_when: Condition | None = None

    @property
    def values(self) -> frozenset[str]:
        """The answers there are to choose."""
        return frozenset(option.value for option in self.options)


@dataclass(frozen=True, slots=True)
class Material:
    """One paper. With a `condition` it is needed only when that question is answered `yes`.

    `waivable`: data or an e-licence (`licence_key`) may replace it (免提交). `tolerable`: it may follow later (容缺).
    `original_required`: the paper original is shown at the counter. `by_rule`: only a rule puts it on the list. One of the
    papers with the same `alternative_group` is enough. `validity_months`: how old it may be.
    """

    no: int
    name: str
    required: bool
    origin: MaterialOrigin
    form: MaterialForm
    copies: int
    waivable: bool
    licence_key: str
    licence_name: str
    tolerable: bool
    original_required: bool
    condition: str | None
    by_rule: bool = False
    alternative_group: str = ""
    type_code: str = ""
    origin_note: str = ""
    originals: int | None = None
    photocopies: int | None = None
    validity_months: int | None = None
    specification: str = ""
    filling_notes: str = ""
    acceptance_standard: str = ""
    basis: str = ""
    blank_form: str = ""
    sample_form: str = ""


@dataclass(frozen=True, slots=True)
class FeeLine:
    """One line of the tariff: an amount in fen per `unit`, or None and the name of a `formula` (never computed here)."""

    no: int
    name: str
    amount_fen: int | None
    formula: str
    unit: str
    basis: str
    prepayable: bool
    payee: str
    by_rule: bool = False
    reducible: bool = False
    reduction_note: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One version of an item, whole. `effective_from` is the first day it is in force."""

    item_id: str
    version_id: UUID
    version: int
    effective_from: date
    name: str
    zone_code: str
    zone_name: str
    department_id: str
    department_name: str
    department_name_2017: str
    authority: str
    catalog_code: str
    task_code: str
    type_code: str
    type_name: str
    case_type: CaseType
    use_level: str
    service_objects: tuple[ServiceObject, ...]
    legal_basis: tuple[Mapping[str, str], ...]
    legal_limit: Limit
    legal_limit_note: str
    promised_limit: Limit
    promised_limit_note: str
    conditions: str
    process_steps: tuple[str, ...]
    special_procedures: str
    result_name: str
    result_form: MaterialForm
    channels: tuple[str, ...]
    online_depth: str
    online_depth_note: str
    trips_to_hall: int
    bookable: bool
    pre_review: bool
    deliverable: bool
    hot: bool
    avg_handle_minutes: int
    original_return_required: bool
    biometric_on_site: str
    agent_allowed: bool
    agent_friendly: bool
    minor_rule: str
    min_auth_level: int
    joint_topics: tuple[str, ...]
    address: str
    hours: str
    consult: str
    supervise: str
    is_fee: bool
    pay_online: bool
    source: Mapping[str, object]
    confidence: Mapping[str, str]
    is_sample: bool
    sensitive: bool
    recipient_policy: RecipientPolicy
    materials: tuple[Material, ...]
    questions: tuple[Question, ...]
    fee_lines: tuple[FeeLine, ...]
    rules: tuple[Rule, ...] = ()
    effective_to: date | None = None
    """The first day on which this version holds no more; None while nothing is published."""
    paused: bool = False
    """暂停办理: nothing can be begun; `pause_reason` says why."""
    pause_reason: str = ""


def complete(item: Item, answers: Mapping[str, str]) -> dict[str, str]:
    """The answers of a whole situation (S23). Raises `InvalidInput` for questions left open and for `wrong_answers`."""
    walked = walk(item.questions, answers)
    faults = {f"answers.{key}": ["请回答此问题 / please answer this question"] for key in walked.open}
    faults |= wrong_answers(item, walked, answers)
    if faults:
        raise InvalidInput(fields=faults)
    return walked.known


def wrong_answers(item: Item, walked: Walk, answers: Mapping[str, str]) -> dict[str, list[str]]:
    """By field: answers that aren't options, to questions the item doesn't have, or that aren't asked in this situation.

    While questions are open, an answer given ahead of its question isn't wrong yet.
    """
    questions = {question.key for question in item.questions}
    faults: dict[str, list[str]] = {}
    for key in answers.keys() - walked.known.keys():
        if key in walked.open:
            faults[f"answers.{key}"] = ["不是可选的答案 / not one of the options"]
        elif key not in questions:
            faults[f"answers.{key}"] = ["该事项没有此问题 / the item doesn't ask this"]
        elif not walked.open:
            faults[f"answers.{key}"] = ["这种情形不需要回答此问题 / not asked in this situation"]
    return faults


def outcome(item: Item, known: Mapping[str, str]) -> Outcome:
    """What the rules make of the item where the complete answers are `known`."""
    return apply(
        item.rules,
        known,
        materials=frozenset(
            m.no for m in item.materials if not m.by_rule and (m.condition is None or known.get(m.condition) == YES)
        ),
        fees=frozenset(line.no for line in item.fee_lines if not line.by_rule),
    )


def materials_for(item: Item, answers: Mapping[str, str]) -> tuple[Material, ...]:
    """The exact papers of this situation, in order (S23, PR-2). Raises `InvalidInput` as `complete` does."""
    listed = outcome(item, complete(item, answers)).materials
    return tuple(m for m in item.materials if m.no in listed)


_UNITS = {
    Unit.WORKDAY: ("个工作日", "working day"),
    Unit.NATURAL_DAY: ("个自然日", "calendar day"),
    Unit.MONTH: ("个月", "month"),
    Unit.YEAR: ("年", "year"),
}


def limit_text(limit: Limit, language: str) -> str:
    """A limit as people read it; 0 is done while you wait (即办)."""
    if limit.value == 0:
        return "at once" if language == "en" else "即办"
    zh, en = _UNITS[limit.unit]
    if language == "en":
        return f"{limit.value} {en}" if limit.value == 1 else f"{limit.value} {en}s"
    return f"{limit.value}{zh}"


SAMPLE_NOTICE = {
    "zh": "样例数据，仅供演示；时限、收费、地址以浙江政务服务网实施清单为准",
    "en": "Sample data for demonstration only; limits, fees and addresses are not official",
}

NOTHING_FOUND = {
    "zh": "没有找到符合条件的事项。请换个说法、减少筛选条件，或拨打12345（外地0574-12345）咨询。",
    "en": "No service item matches. Try other words or fewer filters, or call 12345 (0574-12345 from elsewhere).",
}


def code(typed: str) -> str:
    """An item's code as it is kept, however a person typed or an old link spells it: no blanks, half width, capitals."""
    return "".join(unicodedata.normalize("NFKC", typed).split()).upper()


_CODE = re.compile(r"[A-Z0-9-]{1,64}")


def is_code(text: str) -> bool:
    """Whether this could be an item's code at all."""
    return _CODE.fullmatch(text) is not None


def is_sample(catalog_code: str) -> bool:
    """Whether a code is invented for demonstration (DOMAIN 4.1)."""
    return catalog_code.startswith("SAMPLE")
