"""The sample catalogue, whole or bent to a test's need."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from casework.catalogue import service
from casework.catalogue.importing.service import ImportReport
from core import calendar

SAMPLE_DAY = date(2026, 11, 24)


def import_all(session: Session) -> ImportReport:
    """Sample calendars, catalogue and places into an empty database."""
    for years in (range(2017, 2019), range(2025, 2027)):
        calendar.import_years(session, years)
    report = service.import_sample(session, service.sample_document())
    assert service.import_sample_places(session).faults == ()
    return report


def document(*item_ids: str, change: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
    """The sample document with only these items (all without any), after `change` has had it."""
    made = copy.deepcopy(service.sample_document())
    if item_ids:
        made["items"] = [item for item in made["items"] if item["item_id"] in item_ids]
        made["counts"]["items"] = len(made["items"])
    if change is not None:
        change(made)
    return made
