"""Importing for real: all or nothing, twice is once, what differs becomes a version, what is published stays."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from casework.catalogue import queries, service
from casework.catalogue.drafts.errors import ItemEnded
from casework.catalogue.errors import ItemNotInForce
from casework.catalogue.lookups import models as lookups
from casework.catalogue.models import CatalogueRevision, ItemMaterial, ItemVersion
from casework.catalogue.rules import TRANSITIONS, GoneKind, VersionState
from core import clock, db
from core.actors import System
from core.errors import InvalidInput, NotFound
from tests.factories import catalogue

OPERATOR = System("test")


def versions(session: Session, item_id: str) -> list[ItemVersion]:
    found = select(ItemVersion).where(ItemVersion.item_id == item_id).order_by(ItemVersion.version)
    return list(session.scalars(found.execution_options(populate_existing=True)))


def takes(minutes: int) -> Callable[[dict[str, Any]], object]:
    return lambda document: document["items"][0].update(avg_handle_minutes=minutes)


def revision(session: Session) -> int:
    return session.scalars(select(CatalogueRevision.revision)).one()


def test_the_whole_sample_is_there(session: Session) -> None:
    counts = {
        model.__tablename__: session.scalar(select(func.count()).select_from(model))
        for model in (
            ItemVersion, lookups.Zone, lookups.Region, lookups.DevZone, lookups.Department, lookups.JointTopic,
            lookups.LifeEventPackage, lookups.AppTile, lookups.LicenceType,
        )
    }  # fmt: skip
    assert counts == {
        "item_version": 114, "zone": 8, "region": 10, "dev_zone": 8, "department": 42, "joint_topic": 28,
        "life_event_package": 4, "app_tile": 46, "licence_type": 30,
    }  # fmt: skip
    papers = session.scalar(select(func.count()).select_from(ItemMaterial))
    assert papers == sum(len(item["materials"]) for item in service.sample_document()["items"])


def test_the_same_document_twice_changes_nothing(session: Session) -> None:
    before = revision(session)
    report = service.import_sample(session, service.sample_document())
    assert (report.items, report.changed, report.faults) == (114, 0, ())
    assert revision(session) == before


def test_one_fault_and_nothing_is_written(session: Session) -> None:
    def change(document: dict[str, Any]) -> None:
        document["items"][0]["name"] = "另一个名称"
        document["items"][1]["avg_handle_minutes"] = "25"
        document["items"][1]["colour"] = "red"
        document["lookups"]["zones"][0]["name"] = "别的区"

    before = revision(session)
    report = service.import_sample(session, catalogue.document("NB-001", "NB-002", change=change))
    assert {fault.path for fault in report.faults} == {"items.1.avg_handle_minutes", "items.1.colour"}
    assert report.changed == 0
    assert queries.item_in_force(session, "NB-001", clock.today()).name == "预购商品房预告登记"
    assert revision(session) == before


@pytest.mark.parametrize("document", [{}, {"items": []}, {"items": [{}], "lookups": []}])
def test_what_is_no_document_is_refused_with_places(session: Session, document: dict[str, Any]) -> None:
    report = service.import_sample(session, document)
    assert {"schema_version", "counts"} <= {fault.path for fault in report.faults}


def test_a_change_is_a_new_version_from_today_and_the_old_one_stays_readable(own_database: str) -> None:
    today = clock.today()
    with db.transaction() as session:
        old = queries.item_in_force(session, "NB-002", today)
        before = revision(session)
        changed = catalogue.document("NB-002", change=takes(40))
        report = service.import_sample(session, changed)
        assert (report.items, report.changed) == (1, 1)
        assert revision(session) == before + 1
    with db.transaction() as session:
        new = queries.item_in_force(session, "NB-002", today)
        assert (new.version, new.avg_handle_minutes, new.effective_from) == (2, 40, today)
        assert len(new.materials) == len(old.materials) == 8
        assert queries.item_in_force(session, "NB-002", today - timedelta(days=1)).version_id == old.version_id
        assert queries.item_version(session, old.version_id) == replace(old, effective_to=today)
        assert [(v.state, v.effective_to) for v in versions(session, "NB-002")] == [
            ("PUBLISHED", today),
            ("PUBLISHED", None),
        ]
        assert queries.item_in_force(session, "NB-001", today).version == 1


def test_two_changes_on_one_day_leave_one_in_force(own_database: str) -> None:
    with db.transaction() as session:
        for minutes in (40, 45):
            service.import_sample(session, catalogue.document("NB-002", change=takes(minutes)))
        assert queries.item_in_force(session, "NB-002", clock.today()).avg_handle_minutes == 45
        assert len(versions(session, "NB-002")) == 3


def test_a_withdrawn_item_points_to_its_successor_and_stays_withdrawn(own_database: str) -> None:
    today = clock.today()
    with db.transaction() as session:
        service.retire(
            session, actor=OPERATOR, item_id="NB-055", ends=today, kind=GoneKind.MERGED, successors=["NB-054"]
        )
        with pytest.raises(ItemNotInForce) as gone:
            queries.item_in_force(session, "NB-055", today)
        assert gone.value.extra["redirects_to"] == "NB-054"
        assert queries.item_in_force(session, "NB-055", today - timedelta(days=1)).item_id == "NB-055"
        assert service.import_sample(session, service.sample_document()).changed == 0
        with pytest.raises(ItemNotInForce):
            queries.item_in_force(session, "NB-055", today)
        with pytest.raises(ItemEnded):
            service.retire(session, actor=OPERATOR, item_id="NB-055", ends=today)
        back = catalogue.document("NB-055", change=takes(6))
        assert service.import_sample(session, back).changed == 1
        assert queries.item_in_force(session, "NB-055", today).version == 2


def test_a_withdrawal_may_be_announced(own_database: str) -> None:
    today = clock.today()
    with db.transaction() as session:
        service.retire(session, actor=OPERATOR, item_id="NB-055", ends=today + timedelta(days=7))
        assert queries.item_in_force(session, "NB-055", today + timedelta(days=6))
        with pytest.raises(ItemNotInForce) as gone:
            queries.item_in_force(session, "NB-055", today + timedelta(days=7))
        assert gone.value.extra["kind"] == "ENDED"
        assert gone.value.extra["went_to"] == []


def test_withdrawing_needs_a_known_item_a_day_to_come_and_a_living_successor(session: Session) -> None:
    today = clock.today()
    with pytest.raises(NotFound):
        service.retire(session, actor=OPERATOR, item_id="NB-999", ends=today)
    with pytest.raises(InvalidInput):
        service.retire(session, actor=OPERATOR, item_id="NB-001", ends=today - timedelta(days=1))
    for successor in ("NB-999", "NB-001"):
        with pytest.raises(InvalidInput):
            service.retire(
                session, actor=OPERATOR, item_id="NB-001", ends=today, kind=GoneKind.MERGED, successors=[successor]
            )


def test_before_the_record_nothing_is_in_force(session: Session) -> None:
    with pytest.raises(ItemNotInForce):
        queries.item_in_force(session, "NB-001", date(2016, 12, 31))
    assert queries.item_in_force(session, "NB-001", date(2017, 1, 1))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE item_version SET name = 'x' WHERE item_id = 'NB-001'",
        "DELETE FROM item_version WHERE item_id = 'NB-001'",
        "UPDATE item_material SET name = 'x' WHERE no = 1",
        "DELETE FROM item_fee_line",
        "UPDATE item_question SET text = 'x'",
        "INSERT INTO item_fee_line SELECT version_id, 99, name, amount_fen, formula, unit, basis, prepayable, payee"
        " FROM item_fee_line WHERE no = 1",
        # A second version in force on the same days.
        "INSERT INTO item_version SELECT (jsonb_populate_record(v, jsonb_build_object("
        "'id', gen_random_uuid(), 'version', 2, 'state', 'PUBLISHED'))).* FROM item_version v WHERE item_id = 'NB-001'",
    ],
)
def test_the_database_refuses_to_change_what_is_published(database: object, statement: str) -> None:
    refusal = "a published item version is never|ex_item_version_one_in_force"
    with pytest.raises(DBAPIError, match=refusal), db.transaction() as session:
        session.execute(text(statement))


def test_the_database_moves_states_only_as_the_table_says(own_database: str) -> None:
    with db.transaction() as session:
        version = versions(session, "NB-001")[0]
    for before in VersionState:
        for after in VersionState:
            with db.engine().connect() as connection:
                connection.execute(text("SET session_replication_role = replica"))
                connection.execute(
                    text("UPDATE item_version SET state = :state WHERE id = :id"),
                    {"state": before.value, "id": version.id},
                )
                connection.execute(text("SET session_replication_role = origin"))
                move = text("UPDATE item_version SET state = :state WHERE id = :id")
                if after == before or after in TRANSITIONS[before]:
                    connection.execute(move, {"state": after.value, "id": version.id})
                else:
                    with pytest.raises(DBAPIError, match="does not go from"):
                        connection.execute(move, {"state": after.value, "id": version.id})
                connection.rollback()
