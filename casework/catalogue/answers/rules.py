"""How public answers about items look. Pure."""

from __future__ import annotations

from typing import Any

from casework.catalogue.rules import SAMPLE_NOTICE, Item, Material, limit_text
from core.workdays import Limit, Unit


def entry_answer(row: Any, language: str) -> dict[str, Any]:
    """A line of the list, from a row of `queries.search`."""
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
    }


def item_answer(item: Item, language: str) -> dict[str, Any]:
    """The guide of an item, whole (DOMAIN 2.2)."""
    return {
        "item_id": item.item_id,
        "version_id": str(item.version_id),
        "version": item.version,
        "effective_from": item.effective_from.isoformat(),
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
        "questions": [
            {
                "key": question.key,
                "text": question.text,
                "options": [{"value": option.value, "label": option.label} for option in question.options],
            }
            for question in item.questions
        ],
        "materials": [material_answer(material) for material in item.materials],
        "is_fee": item.is_fee,
        "fee": {
            "pay_online": item.pay_online,
            "lines": [
                {
                    "no": line.no,
                    "name": line.name,
                    "amount_fen": line.amount_fen,
                    "formula": line.formula,
                    "unit": line.unit,
                    "basis": line.basis,
                    "prepayable": line.prepayable,
                    "payee": line.payee,
                }
                for line in item.fee_lines
            ],
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
        "hot": item.hot,
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
        "is_sample": item.is_sample,
        "notice": SAMPLE_NOTICE[language] if item.is_sample else None,
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
    }


def _limit(limit: Limit, note: str, language: str) -> dict[str, Any]:
    return {"value": limit.value, "unit": limit.unit, "text": limit_text(limit, language), "note": note}
