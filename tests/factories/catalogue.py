"""The sample catalogue, whole or bent to a test's need."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid5

from sqlalchemy.orm import Session

from casework.catalogue import service
from casework.catalogue.importing.rules import Content, content_maker
from casework.catalogue.importing.service import ImportReport
from casework.catalogue.importing.writing.service import RECORD_BEGINS
from casework.catalogue.rules import (
    CaseType,
    FeeLine,
    Item,
    Material,
    MaterialForm,
    Option,
    Question,
    RecipientPolicy,
)
from casework.catalogue.situations.rules import Effect, Rule
from casework.places.rules import hall_id
from core import calendar
from core.workdays import Limit, Unit

SAMPLE_DAY = date(2026, 11, 24)
CITY_HALL = hall_id("NB-CITY")


def import_all(session: Session) -> ImportReport:
    """Sample calendars, catalogue and places into an empty database."""
    days = calendar.package_days((2017, 2018, 2025, 2026))
    calendar.publish(session, days, source=calendar.package(), published_by="system:sample")
    report = service.import_sample(session, service.sample_document())
    assert service.import_sample_places(session).faults == ()
    return report


def document(*item_ids: str, change: Callable[[dict[str, Any]], object] | None = None) -> dict[str, Any]:
    """The sample document with only these items (all without any), after `change` has had it."""
    made = copy.deepcopy(_sample())
    if item_ids:
        made["items"] = [found for found in made["items"] if found["item_id"] in item_ids]
        made["counts"]["items"] = len(made["items"])
    if change is not None:
        change(made)
    return made


@functools.cache
def _sample() -> dict[str, Any]:
    return service.sample_document()


@functools.cache
def contents() -> dict[str, Content]:
    """What an import of the sample writes, by item."""
    beside = service.sample_beside()
    make = content_maker(_sample(), beside.policies, beside.wording, beside.tariffs)
    return {found["item_id"]: make(found) for found in _sample()["items"]}


_SPECIAL = {"legal_limit", "legal_limit_unit", "promised_limit", "promised_limit_unit", "authority_2017", "seed_fact"}


def item(item_id: str) -> Item:
    """An item of the sample without any database, for tests of rules."""
    content = contents()[item_id]
    row = {name: value for name, value in content.row.items() if name not in _SPECIAL}
    row = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    row |= {"case_type": CaseType(row["case_type"]), "result_form": MaterialForm(row["result_form"])}
    row["recipient_policy"] = RecipientPolicy(row["recipient_policy"])
    licences = {found["licence_key"]: found["name"] for found in _sample()["lookups"]["licences"]}
    lookups = {found["dept_id"]: found for found in _sample()["lookups"]["departments"]}
    department = lookups[row["department_id"]]
    papers = [
        {name: value for name, value in paper.items() if name != "position"}
        | {"licence_key": paper["licence_key"] or ""}
        for paper in content.materials
    ]
    return Item(
        **row,
        item_id=item_id,
        version_id=uuid5(CITY_HALL, item_id),
        version=1,
        effective_from=RECORD_BEGINS,
        zone_name=next(z["name"] for z in _sample()["lookups"]["zones"] if z["zone_code"] == row["zone_code"]),
        department_name=department["name_now"],
        department_name_2017=department["name_2017"],
        legal_limit=Limit(content.row["legal_limit"], Unit(content.row["legal_limit_unit"])),
        promised_limit=Limit(content.row["promised_limit"], Unit(content.row["promised_limit_unit"])),
        materials=tuple(Material(**paper, licence_name=licences.get(paper["licence_key"], "")) for paper in papers),
        questions=tuple(
            Question(asked["key"], asked["text"], tuple(Option(**option) for option in asked["options"]))
            for asked in content.questions
        ),
        fee_lines=tuple(FeeLine(**line) for line in content.fee_lines),
        rules=tuple(
            Rule(rule["no"], rule["condition"], Effect(rule["effect"]), rule["params"])
            for rule in content.others.get("rules", ())
        ),
    )
