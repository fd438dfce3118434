"""Tables of the catalogue. What is published can't be changed: triggers of migration 0003 refuse it (S22)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from casework.catalogue.rules import CaseType, MaterialForm, MaterialOrigin, RecipientPolicy, VersionState
from core.db import Base, UuidKey
from core.workdays import Unit


def _one_of(column: str, enum: type[Any], name: str) -> CheckConstraint:
    values = ", ".join(f"'{value}'" for value in enum)
    return CheckConstraint(f"{column} IN ({values})", name=name)


class CatalogueItem(Base):
    """An item's code. It is never given to another item; one that ended may point to its successor."""

    __tablename__ = "item"
    __table_args__ = (CheckConstraint("redirects_to <> item_id", name="redirects_elsewhere"),)

    item_id: Mapped[str] = mapped_column(Text, primary_key=True)
    redirects_to: Mapped[str | None] = mapped_column(ForeignKey("item.item_id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ItemVersion(UuidKey, Base):
    """What is true of an item from `effective_from` until the day before `effective_to` (elements of DOMAIN 2.2).

    `digest` is that of the imported content, so that the same content isn't imported twice.
    """

    __tablename__ = "item_version"
    __table_args__ = (
        UniqueConstraint("item_id", "version", name="uq_item_version_item_id_version"),
        ExcludeConstraint(
            ("item_id", "="),
            (text("daterange(effective_from, effective_to)"), "&&"),
            where=text("state <> 'DRAFT'"),
            using="gist",
            name="ex_item_version_one_in_force",
        ),
        _one_of("state", VersionState, "state_known"),
        _one_of("case_type", CaseType, "case_type_known"),
        _one_of("result_form", MaterialForm, "result_form_known"),
        _one_of("recipient_policy", RecipientPolicy, "recipient_policy_known"),
        _one_of("legal_limit_unit", Unit, "legal_limit_unit_known"),
        _one_of("promised_limit_unit", Unit, "promised_limit_unit_known"),
        CheckConstraint("effective_to >= effective_from", name="ends_after_it_begins"),
        CheckConstraint("legal_limit >= 0 AND promised_limit >= 0", name="limits_not_negative"),
        CheckConstraint("avg_handle_minutes > 0", name="takes_time"),
        CheckConstraint("trips_to_hall >= 0", name="trips_not_negative"),
        CheckConstraint("min_auth_level BETWEEN 1 AND 4", name="min_auth_level_known"),
        Index("ix_item_version_search_terms", "search_terms", postgresql_using="gin"),
        Index("ix_item_version_folded_name", "folded_name", postgresql_ops={"folded_name": "text_pattern_ops"}),
        Index("ix_item_version_listing", text("(hot IS FALSE)"), "item_id"),
        Index("ix_item_version_zone_code", "zone_code"),
        Index("ix_item_version_department_id", "department_id"),
    )

    item_id: Mapped[str] = mapped_column(ForeignKey("item.item_id"))
    version: Mapped[int]
    state: Mapped[str] = mapped_column(Text)
    effective_from: Mapped[date]
    effective_to: Mapped[date | None]
    digest: Mapped[bytes]
    name: Mapped[str] = mapped_column(Text)
    zone_code: Mapped[str] = mapped_column(ForeignKey("zone.code"))
    department_id: Mapped[str] = mapped_column(ForeignKey("department.id"))
    authority: Mapped[str] = mapped_column(Text)
    authority_2017: Mapped[str] = mapped_column(Text)
    catalog_code: Mapped[str] = mapped_column(Text)
    task_code: Mapped[str] = mapped_column(Text)
    type_code: Mapped[str] = mapped_column(Text)
    type_name: Mapped[str] = mapped_column(Text)
    case_type: Mapped[str] = mapped_column(Text)
    use_level: Mapped[str] = mapped_column(Text)
    service_objects: Mapped[list[str]] = mapped_column(ARRAY(Text))
    legal_basis: Mapped[list[Any]]
    legal_limit: Mapped[int]
    legal_limit_unit: Mapped[str] = mapped_column(Text)
    legal_limit_note: Mapped[str] = mapped_column(Text)
    promised_limit: Mapped[int]
    promised_limit_unit: Mapped[str] = mapped_column(Text)
    promised_limit_note: Mapped[str] = mapped_column(Text)
    conditions: Mapped[str] = mapped_column(Text)
    process_steps: Mapped[list[str]] = mapped_column(ARRAY(Text))
    special_procedures: Mapped[str] = mapped_column(Text)
    result_name: Mapped[str] = mapped_column(Text)
    result_form: Mapped[str] = mapped_column(Text)
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    online_depth: Mapped[str] = mapped_column(Text)
    online_depth_note: Mapped[str] = mapped_column(Text)
    trips_to_hall: Mapped[int]
    bookable: Mapped[bool]
    pre_review: Mapped[bool]
    deliverable: Mapped[bool]
    hot: Mapped[bool]
    avg_handle_minutes: Mapped[int]
    original_return_required: Mapped[bool]
    biometric_on_site: Mapped[str] = mapped_column(Text)
    agent_allowed: Mapped[bool]
    agent_friendly: Mapped[bool]
    minor_rule: Mapped[str] = mapped_column(Text)
    min_auth_level: Mapped[int]
    joint_topics: Mapped[list[str]] = mapped_column(ARRAY(Text))
    address: Mapped[str] = mapped_column(Text)
    hours: Mapped[str] = mapped_column(Text)
    consult: Mapped[str] = mapped_column(Text)
    supervise: Mapped[str] = mapped_column(Text)
    is_fee: Mapped[bool]
    pay_online: Mapped[bool]
    source: Mapped[dict[str, Any]]
    confidence: Mapped[dict[str, Any]]
    seed_fact: Mapped[str] = mapped_column(Text)
    is_sample: Mapped[bool]
    sensitive: Mapped[bool]
    recipient_policy: Mapped[str] = mapped_column(Text)
    search_terms: Mapped[list[str]] = mapped_column(ARRAY(Text))
    folded_name: Mapped[str] = mapped_column(Text)


class ItemQuestion(Base):
    """A question about the situation. `options`: [{"value", "label"}, …]."""

    __tablename__ = "item_question"
    __table_args__ = (CheckConstraint("jsonb_array_length(options) > 1", name="has_a_choice"),)

    version_id: Mapped[UUID] = mapped_column(ForeignKey("item_version.id"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    options: Mapped[list[Any]] = mapped_column(JSONB)


class ItemMaterial(Base):
    """A paper; `condition` is the question that calls for it."""

    __tablename__ = "item_material"
    __table_args__ = (
        ForeignKeyConstraint(
            ["version_id", "condition"],
            ["item_question.version_id", "item_question.key"],
            name="fk_item_material_condition_item_question",
        ),
        CheckConstraint("no > 0 AND copies > 0", name="counts_positive"),
        CheckConstraint("required = (condition IS NULL)", name="conditional_or_required"),
        _one_of("origin", MaterialOrigin, "origin_known"),
        _one_of("form", MaterialForm, "form_known"),
    )

    version_id: Mapped[UUID] = mapped_column(ForeignKey("item_version.id"), primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    required: Mapped[bool]
    origin: Mapped[str] = mapped_column(Text)
    form: Mapped[str] = mapped_column(Text)
    copies: Mapped[int]
    waivable: Mapped[bool]
    licence_key: Mapped[str | None] = mapped_column(ForeignKey("licence_type.key"))
    tolerable: Mapped[bool]
    original_required: Mapped[bool]
    condition: Mapped[str | None] = mapped_column(Text)


class ItemFeeLine(Base):
    """A line of the tariff, in fen; without an amount it names its formula."""

    __tablename__ = "item_fee_line"
    __table_args__ = (
        CheckConstraint("amount_fen >= 0", name="amount_not_negative"),
        CheckConstraint("(amount_fen IS NULL) = (formula <> '')", name="amount_or_formula"),
    )

    version_id: Mapped[UUID] = mapped_column(ForeignKey("item_version.id"), primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    amount_fen: Mapped[int | None] = mapped_column(BigInteger)
    formula: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text)
    basis: Mapped[str] = mapped_column(Text)
    prepayable: Mapped[bool]
    payee: Mapped[str] = mapped_column(Text)


class CatalogueRevision(Base):
    """One row: it changes whenever anything that public answers are made of changes. Kept answers watch it."""

    __tablename__ = "catalogue_revision"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[datetime]
