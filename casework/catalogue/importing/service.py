"""Reading a catalogue document and writing what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import inspect, tuple_
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.orm import Session

from casework.catalogue.answers import service as answers
from casework.catalogue.importing import rules
from casework.catalogue.importing.faults.rules import Fault, shape, situation
from casework.catalogue.importing.ports import DocumentShape
from casework.catalogue.importing.records import queries
from casework.catalogue.importing.records import rules as records
from casework.catalogue.importing.records.rules import Said
from casework.catalogue.importing.rules import Content, Policies
from casework.catalogue.importing.tariffs.rules import Tariff
from casework.catalogue.importing.writing import service as writing
from casework.catalogue.importing.writing.service import Change, Progress, silent
from casework.catalogue.linting.rules import sheet_faults
from casework.catalogue.lookups import models as lookups
from casework.catalogue.search import service as search
from core.db import Base


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Items in the document, how many of them are new or got a new version, and the faults (then nothing was written).

    `not_kept`: what the file says beyond what is kept here: sheet, column, and in how many rows.
    """

    items: int
    changed: int
    faults: tuple[Fault, ...]
    not_kept: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Beside:
    """The data files that complete a document: policies, wording of questions, fee lines by situation."""

    policies: Policies
    wording: Mapping[str, Mapping[str, Mapping[str, str]]]
    tariffs: Mapping[str, Tariff]


def import_document(
    session: Session, document: Mapping[str, Any], beside: Beside, *, today: date, progress: Progress = silent
) -> ImportReport:
    """Write `document`; changed items get a version that is in force from `today`. Nothing is written if anything is wrong.

    New items are in force since `RECORD_BEGINS`.
    Items that the document doesn't name stay as they are; one that was withdrawn comes back only with a new content.
    Raises `ImportRunning`.
    """
    writing.lock(session)
    progress("check", 0, 0)
    contents, wrong = contents_of(document, beside)
    if wrong:
        return ImportReport(0, 0, wrong)
    lists = sum(
        upsert(session, model, [row | {"position": position} for position, row in enumerate(rows, 1)])
        for model, rows in _lists(document["lookups"], beside.policies)
    )
    changed = _write_items(session, contents, today, progress)
    if lists:
        search.reindex(session)
    if lists or changed:
        answers.touch(session)
    return ImportReport(len(contents), changed, ())


def contents_of(document: Mapping[str, Any], beside: Beside) -> tuple[list[Content], tuple[Fault, ...]]:
    """What a document would write, or everything that is wrong with it."""
    wrong = tuple(_flat("", DocumentShape().validate(document))) or tuple(rules.faults(document, beside.policies))
    if wrong:
        return [], wrong
    make = rules.content_maker(document, beside.policies, beside.wording, beside.tariffs)
    contents = [make(item) for item in document["items"]]
    return contents, tuple(
        situation(f"items.{i}.{fault.path}", fault.problem, fault.mend)
        for i, content in enumerate(contents)
        for fault in sheet_faults(rules.sheet(content))
    )


def _flat(path: str, messages: Any) -> Iterator[Fault]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _flat(path if key == "_schema" else f"{path}.{key}" if path else str(key), inner)
    else:
        for message in messages:
            yield shape(path, str(message))


def _lists(data: Mapping[str, Any], policies: Policies) -> Iterator[tuple[type[Base], list[dict[str, Any]]]]:
    by_name = rules.departments(data, policies)
    yield lookups.Zone, [{"code": z["zone_code"], "name": z["name"]} for z in data["zones"]]
    yield (
        lookups.Department,
        [
            {"id": d["dept_id"], "name": d["name_now"], "name_2017": d["name_2017"], "confidence": d["confidence"]}
            for d in data["departments"]
        ],
    )
    yield lookups.Region, [{key: r[key] for key in ("code", "name", "kind")} for r in data["regions"]]
    yield (
        lookups.DevZone,
        [{key: z[key] for key in ("code", "name_2017", "name_now", "confidence", "note")} for z in data["dev_zones"]],
    )
    yield (
        lookups.JointTopic,
        [
            {"key": t["topic_key"], "lead_department_id": by_name[t["lead_authority_2017"]]}
            | {key: t[key] for key in ("name", "participants", "before_days", "after_days")}
            for t in data["joint_topics"]
        ],
    )
    yield lookups.LifeEventPackage, [{"key": p["topic_key"], "name": p["name"]} for p in data["packages"]]
    yield (
        lookups.AppTile,
        [
            {"id": t["tile_id"], "group_name": t["group"], "department_id": by_name[t["authority_2017"]]}
            | {key: t[key] for key in ("name", "link_mode")}
            for t in data["app_tiles"]
        ],
    )
    yield lookups.LicenceType, [{"key": row["licence_key"], "name": row["name"]} for row in data["licences"]]


def upsert(session: Session, model: type[Base], rows: Sequence[dict[str, Any]], *, keep: Sequence[str] = ()) -> int:
    """Insert or update whole rows, leaving the columns `keep` of existing ones alone; returns how many differed."""
    table = inspect(model).local_table
    write = pg.insert(model)
    rest = [column for column in table.c if not column.primary_key and column.name not in keep]
    new = {column.name: write.excluded[column.name] for column in rest}
    statement = write.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_=new,
        where=tuple_(*rest).is_distinct_from(tuple_(*new.values())),
    ).returning(*table.primary_key)
    return len(session.execute(statement, rows).all())


def _write_items(session: Session, contents: Sequence[Content], today: date, progress: Progress) -> int:
    """Give every item whose content differs a new version; returns how many."""
    begun = writing.enter(session, contents)
    latest = writing.latest_digests(session)
    differ = [Change(content, writing.digest(content)) for content in contents]
    differ = [change for change in differ if latest.get(change.content.item_id) != change.digest]
    kept = _keep_unsaid(session, [change for change in differ if change.content.item_id in begun], today)
    changes = [kept.get(change.content.item_id, change) for change in differ]
    return writing.publish(session, changes, begun, today, progress)


def _keep_unsaid(session: Session, changes: Sequence[Change], today: date) -> dict[str, Change]:
    """The changes with what a document of version 1.0 can't say (rules, many elements) as it is in the current version.

    The rules of its tariff keep their numbers; the other rules of the version follow.
    """
    before = queries.current(session, today) if changes else {}
    by_item = {change.content.item_id: change for change in changes if change.content.item_id in before}
    versions = [before[item_id].version_id for item_id in by_item]
    kept: dict[str, Change] = {}
    for item_id, record in queries.records(session, versions):
        change = by_item[item_id]
        said = Said(item_id, item_id, records.said_by(change.content))
        if tariff := said.fields.get("rules"):
            numbers = {rule["no"] for rule in tariff}
            said.fields["rules"] = [*tariff, *(rule for rule in record["rules"] if rule["no"] not in numbers)]
        kept[item_id] = Change(records.content(item_id, records.complete(said, record)), change.digest)
    return kept
