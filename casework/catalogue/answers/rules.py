"""How public answers about items look. Pure."""

from __future__ import annotations

from dataclasses import asdict, fields, is_dataclass
from typing import Any

from casework.catalogue.elements.rules import Elements
from casework.catalogue.guide.rules import Advice, Guide
from casework.catalogue.rules import SAMPLE_NOTICE, FeeLine, Item, Material, Question, limit_text
from core.workdays import Limit, Unit


def entry_answer(row: Any, language: str) -> dict[str, Any]:
    """A line of the list, from a row of `search.service`."""
    return {
        "item_id": row.item_id,
        "name": row.name,
        "zone": {"code": row.zone_code, "name": row.zone_name},
        "department": {"id": row.department_id, "name": row.department_name},
        "authority": row.authority,
        "case_type": row.case_type,
        "promised_limit": _limit(
            Limit(row.promised_limit, Unit(row.promised_limit_unit)), row.promised_limit_note, language
        ),
        "trips_to_hall": row.trips_to_hall,
        "bookable": row.bookable,
        "pre_review": row.pre_review,
        "deliverable": row.deliverable,
        "hot": row.hot,
        "is_fee": row.is_fee,
        "is_sample": row.is_sample,
        "paused": row.paused,
    }


def item_answer(item: Item, elements: Elements, language: str) -> dict[str, Any]:
    """The guide of an item, whole (DOMAIN 2.2), but for what others know of it: how long it takes, where it is handled."""
    return {
        "item_id": item.item_id,
        "version_id": str(item.version_id),
        "version": item.version,
        "effective_from": item.effective_from.isoformat(),
        "effective_to": item.effective_to.isoformat() if item.effective_to else None,
        "name": item.name,
        "zone": {"code": item.zone_code, "name": item.zone_name},
        "department": {
            "id": item.department_id,
            "name": item.department_name,
            "name_2017": item.department_name_2017,
        },
        "authority": item.authority,
        "catalog_code": item.catalog_code,
        "task_code": item.task_code,
        "type": {"code": item.type_code, "name": item.type_name},
        "case_type": item.case_type,
        "use_level": item.use_level,
        "service_objects": item.service_objects,
        "legal_basis": item.legal_basis,
        "legal_limit": _limit(item.legal_limit, item.legal_limit_note, language),
        "promised_limit": _limit(item.promised_limit, item.promised_limit_note, language),
        "conditions": item.conditions,
        "questions": [question_answer(question) for question in item.questions],
        "materials": [material_answer(material) for material in item.materials],
        "is_fee": item.is_fee,
        "fee": {
            "pay_online": item.pay_online,
            "basis": elements.fee_basis,
            "lines": [fee_line_answer(line) for line in item.fee_lines],
        },
        "process_steps": item.process_steps,
        "special_procedures": item.special_procedures,
        "result": {"name": item.result_name, "form": item.result_form, "recipient_policy": item.recipient_policy},
        "channels": item.channels,
        "online_depth": item.online_depth,
        "online_depth_note": item.online_depth_note,
        "trips_to_hall": item.trips_to_hall,
        "bookable": item.bookable,
        "pre_review": item.pre_review,
        "deliverable": item.deliverable,
        "hot": item.hot and not item.paused,
        "original_return_required": item.original_return_required,
        "biometric_on_site": item.biometric_on_site,
        "agent_allowed": item.agent_allowed,
        "agent_friendly": item.agent_friendly,
        "minor_rule": item.minor_rule,
        "min_auth_level": item.min_auth_level,
        "joint_topics": item.joint_topics,
        "address": item.address,
        "hours": item.hours,
        "consult": item.consult,
        "supervise": item.supervise,
        "elements": {field.name: _plain(getattr(elements, field.name)) for field in fields(elements)},
        "is_sample": item.is_sample,
        "paused": item.paused,
        "notice": SAMPLE_NOTICE[language] if item.is_sample else None,
    }


def _plain(value: Any) -> Any:
    """Rows as JSON objects."""
    if isinstance(value, tuple):
        return [asdict(part) if is_dataclass(part) and not isinstance(part, type) else part for part in value]
    return value


def question_answer(question: Question) -> dict[str, Any]:
    """A question; `asked_when` is the condition on other answers, null when it is always asked."""
    return {
        "key": question.key,
        "text": question.text,
        "options": [{"value": option.value, "label": option.label} for option in question.options],
        "asked_when": question.asked_when,
    }


def fee_line_answer(line: FeeLine) -> dict[str, Any]:
    """A line of the tariff."""
    return {
        "no": line.no,
        "name": line.name,
        "amount_fen": line.amount_fen,
        "formula": line.formula,
        "unit": line.unit,
        "basis": line.basis,
        "prepayable": line.prepayable,
        "payee": line.payee,
        "by_situation": line.by_rule,
        "reducible": line.reducible,
        "reduction_note": line.reduction_note,
    }


def advice_answer(advice: Advice, item: Item, language: str) -> dict[str, Any]:
    """The next question, or the guide."""
    return {
        "item_id": item.item_id,
        "version_id": str(item.version_id),
        "answers": dict(advice.answers),
        "question": question_answer(advice.question) if advice.question else None,
        "questions_left": advice.left,
        "guide": _guide_answer(advice.guide, language) if advice.guide else None,
        "paused": item.paused,
        "pause_reason": item.pause_reason,
        "notice": SAMPLE_NOTICE[language] if item.is_sample else None,
    }


def _guide_answer(guide: Guide, language: str) -> dict[str, Any]:
    item = guide.item
    return {
        "possible": guide.possible,
        "refusals": [{"reason": refusal.reason, "item_id": refusal.item_id} for refusal in guide.refusals],
        "papers": [
            {"alternative_group": choice.group, "one_of": [material_answer(material) for material in choice.materials]}
            for choice in guide.papers
        ],
        "fee_lines": [fee_line_answer(line) for line in guide.fee_lines],
        "fee_total_fen": guide.fee_total_fen,
        "zone": {"code": item.zone_code, "name": item.zone_name},
        "window_kinds": guide.window_kinds,
        "legal_limit": _limit(item.legal_limit, item.legal_limit_note, language),
        "promised_limit": _limit(guide.promised_limit, item.promised_limit_note, language),
        "min_auth_level": guide.level,
        "agent_allowed": guide.agent_allowed,
        "bookable": item.bookable and guide.possible,
        "pre_review": item.pre_review and guide.possible,
        "deliverable": item.deliverable and guide.possible,
        "trips_to_hall": item.trips_to_hall,
    }


def material_answer(material: Material) -> dict[str, Any]:
    """A paper; `condition` names the question that calls for it."""
    return {
        "no": material.no,
        "name": material.name,
        "required": material.required,
        "origin": material.origin,
        "form": material.form,
        "copies": material.copies,
        "waivable": material.waivable,
        "licence": {"key": material.licence_key, "name": material.licence_name} if material.licence_key else None,
        "tolerable": material.tolerable,
        "original_required": material.original_required,
        "condition": material.condition,
        "by_situation": material.by_rule,
        "alternative_group": material.alternative_group,
        "type_code": material.type_code,
        "origin_note": material.origin_note,
        "originals": material.originals,
        "photocopies": material.photocopies,
        "validity_months": material.validity_months,
        "specification": material.specification,
        "filling_notes": material.filling_notes,
        "acceptance_standard": material.acceptance_standard,
        "basis": material.basis,
        "blank_form": material.blank_form,
        "sample_form": material.sample_form,
    }


def _limit(limit: Limit, note: str, language: str) -> dict[str, Any]:
    return {"value": limit.value, "unit": limit.unit, "text": limit_text(limit, language), "note": note}
