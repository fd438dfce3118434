"""Keeping what is searched up to date. Called by whoever publishes, withdraws or imports, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row, and_, case, delete, func, insert, not_, select, text, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from casework.catalogue.answers.rules import entry_answer
from casework.catalogue.events import ItemKept, ItemPublicationWithdrawn, ItemRetired, ItemVersionsPublished
from casework.catalogue.lookups.models import Department, JointTopic, LifeEventPackage, Region, Zone
from casework.catalogue.models import CatalogueItem, ItemMaterial, ItemVersion
from casework.catalogue.rules import LIVE
from casework.catalogue.search.models import ItemSearch, ItemSearchTerm, ItemUse
from casework.catalogue.search.ranking.rules import CODE, Texts, item_terms
from core import clock
from core.copying import copy
from core.db import Base

CITY = "330200"
"""The region of what an authority of the city itself does, for all districts."""
LANGUAGES = ("zh", "en")
_AT_ONCE = 1_000
_MANY = 50
"""From so many changed items on the terms are counted anew."""

_VERSION = (
    select(
        ItemVersion.id,
        ItemVersion.item_id,
        ItemVersion.effective_from,
        ItemVersion.effective_to,
        ItemVersion.name,
        ItemVersion.zone_code,
        Zone.name.label("zone_name"),
        ItemVersion.department_id,
        Department.name.label("department_name"),
        Department.name_2017.label("department_name_2017"),
        ItemVersion.authority,
        ItemVersion.authority_2017,
        ItemVersion.result_name,
        ItemVersion.service_objects,
        ItemVersion.joint_topics,
        ItemVersion.online_depth,
        ItemVersion.case_type,
        ItemVersion.promised_limit,
        ItemVersion.promised_limit_unit,
        ItemVersion.promised_limit_note,
        ItemVersion.trips_to_hall,
        ItemVersion.bookable,
        ItemVersion.pre_review,
        ItemVersion.deliverable,
        # What is paused may be found, but isn't shown before what can be done.
        and_(ItemVersion.hot, not_(ItemVersion.paused)).label("hot"),
        ItemVersion.is_fee,
        ItemVersion.is_sample,
        ItemVersion.paused,
        case((ItemVersion.paused, 0), else_=func.coalesce(ItemUse.people, 0)).label("uses"),
        select(func.array_agg(aggregate_order_by(ItemMaterial.name, ItemMaterial.no)))
        .where(ItemMaterial.version_id == ItemVersion.id)
        .correlate(ItemVersion)
        .scalar_subquery()
        .label("materials"),
    )
    .join(Zone, Zone.code == ItemVersion.zone_code)
    .join(Department, Department.id == ItemVersion.department_id)
    .outerjoin(ItemUse, ItemUse.item_id == ItemVersion.item_id)
)
_COLUMNS = [column.name for column in ItemSearch.__table__.columns if column.name != "stamp"]


@dataclass(frozen=True, slots=True)
class _Names:
    """What is written out in an item only by its key."""

    topics: Mapping[str, str]
    regions: Mapping[str, str]


def reindex(session: Session, item_ids: Iterable[str] | None = None) -> int:
    """Write anew what is searched of these items, or of all of them; returns the rows written.

    Versions that are over are left out, those to come are in, so that nothing needs to happen at midnight. How common the
    terms are is counted again when many items change; a term that isn't counted yet is taken for a rare one.
    """
    whole = item_ids is None
    ids = sorted(set(session.scalars(select(CatalogueItem.item_id)) if item_ids is None else item_ids))
    names = _names(session)
    written = 0
    for at in range(0, len(ids), _AT_ONCE):
        some = ids[at : at + _AT_ONCE]
        session.execute(delete(ItemSearch).where(ItemSearch.item_id.in_(some)))
        rows = session.execute(
            _VERSION.where(
                ItemVersion.item_id.in_(some),
                ItemVersion.state.in_(LIVE),
                ItemVersion.effective_to.is_(None) | (ItemVersion.effective_to > clock.today()),
            )
        ).all()
        copy(session, Base.metadata.tables["item_search"], _COLUMNS, (_row(row, names) for row in rows))
        written += len(rows)
    session.execute(text("SELECT gin_clean_pending_list('ix_item_search_terms')"))
    if whole or len(ids) > _MANY:
        count_terms(session)
    else:
        _mention_terms(session, ids)
    return written


def _mention_terms(session: Session, item_ids: list[str]) -> None:
    """Let the terms of some items be known, as rare ones, until all are counted."""
    session.execute(
        text(
            "INSERT INTO item_search_term (term, items) SELECT DISTINCT term, 1 FROM item_search, unnest(terms) AS term "
            "WHERE item_id = ANY(:ids) AND NOT starts_with(term, :code) ORDER BY term ON CONFLICT DO NOTHING"
        ),
        {"ids": item_ids, "code": CODE},
    )


def count_terms(session: Session) -> None:
    """Count in how many rows each term occurs; a code occurs once and isn't counted."""
    session.execute(delete(ItemSearchTerm))
    session.execute(
        text(
            "INSERT INTO item_search_term (term, items) SELECT term, count(*) FROM item_search, unnest(terms) AS term "
            "WHERE NOT starts_with(term, :code) GROUP BY term UNION ALL SELECT '', count(*) FROM item_search"
        ),
        {"code": CODE},
    )


def record_uses(session: Session, people: Mapping[str, int]) -> None:
    """Say how many people used each item lately; items that aren't named: nobody. A paused version counts as unused."""
    session.execute(delete(ItemUse))
    if people:
        session.execute(insert(ItemUse), [{"item_id": key, "people": count} for key, count in sorted(people.items())])
    counted = (
        select(ItemUse.people)
        .join(ItemVersion, ItemVersion.item_id == ItemUse.item_id)
        .where(ItemVersion.id == ItemSearch.version_id, not_(ItemVersion.paused))
        .scalar_subquery()
    )
    now = func.coalesce(counted, 0)
    session.execute(update(ItemSearch).where(ItemSearch.uses != now).values(uses=now))


def on_published(session: Session, event: ItemVersionsPublished) -> None:
    """Versions were published, by a manager or an import."""
    reindex(session, {publication.item_id for publication in event.publications})


def on_ended(session: Session, event: ItemRetired | ItemKept | ItemPublicationWithdrawn) -> None:
    """An item ends, or doesn't after all, or a publication to come was withdrawn."""
    reindex(session, {event.item_id})


def _names(session: Session) -> _Names:
    topics = session.execute(
        select(JointTopic.key, JointTopic.name).union_all(select(LifeEventPackage.key, LifeEventPackage.name))
    )
    regions = session.execute(select(Region.name, Region.code))
    return _Names({row.key: row.name for row in topics}, {row.name: row.code for row in regions})


def _row(row: Row[*tuple[Any, ...]], names: _Names) -> tuple[Any, ...]:
    topics = [names.topics[key] for key in row.joint_topics if key in names.topics]
    who = (row.department_name, row.department_name_2017, row.authority, row.authority_2017)
    texts = Texts.of(row.name, (row.result_name, *topics, *who), row.materials or ())
    values = {
        "version_id": row.id,
        "region_code": _region(row.authority, names.regions),
        "title": row.name,
        "terms": item_terms(row.item_id, row.joint_topics, texts),
        **texts._asdict(),
        **{f"entry_{language}": orjson.dumps(entry_answer(row, language)).decode() for language in LANGUAGES},
    }
    return tuple(values[name] if name in values else getattr(row, name) for name in _COLUMNS)


def _region(authority: str, regions: Mapping[str, str]) -> str:
    return next((code for name, code in regions.items() if name in authority), CITY)
