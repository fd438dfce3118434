"""Tables of the catalogue. What left the draft can't be changed: triggers of migrations 0016 and 0027 refuse it (S22)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    Uuid,
    or_,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from casework.catalogue.elements.rules import ServeScope
from casework.catalogue.rules import (
    LIVE,
    CaseType,
    GoneKind,
    MaterialForm,
    MaterialOrigin,
    RecipientPolicy,
    VersionState,
)
from casework.catalogue.situations.rules import Effect
from core.db import Base, UuidKey
from core.workdays import Unit


def _one_of(column: str, enum: type[Any], name: str) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({_values(enum)})", name=name)


def _values(values: Any) -> str:
    return ", ".join(f"'{value}'" for value in values)


class CatalogueItem(Base):
    """An item's code. It is never given to another item; of one that ended `gone_kind` says what became of it."""

    __tablename__ = "item"
    __table_args__ = (_one_of("gone_kind", GoneKind, "gone_kind_known"),)

    item_id: Mapped[str] = mapped_column(Text, primary_key=True)
    gone_kind: Mapped[str | None] = mapped_column(Text)
    gone_reason: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ItemRedirect(Base):
    """Where an item that ended went: one row, several after a split. A trigger of migration 0016 refuses loops."""

    __tablename__ = "item_redirect"
    __table_args__ = (
        CheckConstraint("to_item_id <> item_id", name="leads_elsewhere"),
        Index("ix_item_redirect_to_item_id", "to_item_id"),
    )

    item_id: Mapped[str] = mapped_column(ForeignKey("item.item_id"), primary_key=True)
    to_item_id: Mapped[str] = mapped_column(ForeignKey("item.item_id"), primary_key=True)
    position: Mapped[int]


class ItemVersion(UuidKey, Base):
    """What is true of an item from `effective_from` until the day before `effective_to` (elements of DOMAIN 2.2).

    `digest` is that of the imported content, so that the same content isn't imported twice. `authors` are the item managers
    who worked on it (none: it was imported); the one who publishes is never among them. `edit` counts changes of the draft.
    """

    __tablename__ = "item_version"
    __table_args__ = (
        UniqueConstraint("item_id", "version", name="uq_item_version_item_id_version"),
        ExcludeConstraint(
            ("item_id", "="),
            (text("daterange(effective_from, effective_to)"), "&&"),
            where=text(f"state IN ({_values(LIVE)})"),
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
        _one_of("serve_scope", ServeScope, "serve_scope_known"),
        CheckConstraint("daily_bookings >= 0", name="daily_bookings_not_negative"),
        CheckConstraint(
            "NOT paused OR NOT (bookable OR pre_review) AND pause_reason <> ''", name="pause_takes_nothing_in"
        ),
        CheckConstraint("published_by <> ALL (authors)", name="published_by_a_second_person"),
        CheckConstraint(
            f"state NOT IN ({_values(LIVE)}) OR cardinality(authors) = 0 OR published_by IS NOT NULL",
            name="somebody_published_it",
        ),
        Index(
            "uq_item_version_open_draft",
            "item_id",
            unique=True,
            postgresql_where=text("state IN ('DRAFT', 'IN_REVIEW') AND cardinality(authors) > 0"),
        ),
        Index("ix_item_version_published_by", "published_by", postgresql_where=text("published_by IS NOT NULL")),
        Index("ix_item_version_effective_from", "effective_from"),
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
    local_catalog_code: Mapped[str] = mapped_column(Text, server_default="")
    local_task_code: Mapped[str] = mapped_column(Text, server_default="")
    handle_item_code: Mapped[str] = mapped_column(Text, server_default="")
    authority_code: Mapped[str] = mapped_column(Text, server_default="")
    authority_type: Mapped[str] = mapped_column(Text, server_default="")
    power_source: Mapped[str] = mapped_column(Text, server_default="")
    use_levels: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    joint_departments: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    intermediary: Mapped[str] = mapped_column(Text, server_default="")
    quantity_limit: Mapped[str] = mapped_column(Text, server_default="")
    result_type: Mapped[str] = mapped_column(Text, server_default="")
    fee_basis: Mapped[str] = mapped_column(Text, server_default="")
    handle_forms: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    online_depths: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    trips_reason: Mapped[str] = mapped_column(Text, server_default="")
    online: Mapped[bool] = mapped_column(server_default=text("false"))
    self_service: Mapped[bool] = mapped_column(server_default=text("false"))
    in_hall: Mapped[bool] = mapped_column(server_default=text("true"))
    daily_bookings: Mapped[int | None]
    booking_rule: Mapped[str] = mapped_column(Text, server_default="")
    serve_scope: Mapped[str] = mapped_column(Text, server_default="")
    mobile_url: Mapped[str] = mapped_column(Text, server_default="")
    mobile_single_sign_on: Mapped[bool] = mapped_column(server_default=text("false"))
    paused: Mapped[bool] = mapped_column(server_default=text("false"))
    pause_reason: Mapped[str] = mapped_column(Text, server_default="")
    authors: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default="{}")
    published_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.id"))
    base_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("item_version.id"))
    edit: Mapped[int] = mapped_column(server_default="1")
    retire_reason: Mapped[str] = mapped_column(Text, server_default="")

    @classmethod
    def in_force(cls, day: date) -> ColumnElement[bool]:
        """The condition that picks what is in force on `day` (S22)."""
        return (
            cls.state.in_(LIVE) & (cls.effective_from <= day) & or_(cls.effective_to.is_(None), cls.effective_to > day)
        )


class ItemVersionEvent(UuidKey, Base):
    """One thing done to a version by a person, append-only. `note` is what a reviewer wrote, `detail` which section was edited."""

    __tablename__ = "item_version_event"

    version_id: Mapped[UUID] = mapped_column(ForeignKey("item_version.id"), index=True)
    action: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(Text)


class ItemQuestion(Base):
    """A question about the situation. `options`: [{"value", "label"}, …]; `asked_when`: the condition it is asked on."""

    __tablename__ = "item_question"
    __table_args__ = (CheckConstraint("jsonb_array_length(options) > 1", name="has_a_choice"),)

    version_id: Mapped[UUID] = mapped_column(ForeignKey("item_version.id"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    options: Mapped[list[Any]] = mapped_column(JSONB)
    asked_when: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class ItemMaterial(Base):
    """A paper; `condition` is the question that calls for it. `no` stays what it is, `position` is where it stands.

    `by_rule`: only rules put it on the list. Papers with the same `alternative_group` are ways to prove the same: one is enough.
    """

    __tablename__ = "item_material"
    __table_args__ = (
        ForeignKeyConstraint(
            ["version_id", "condition"],
            ["item_question.version_id", "item_question.key"],
            name="fk_item_material_condition_item_question",
        ),
        CheckConstraint("no > 0 AND copies > 0", name="counts_positive"),
        CheckConstraint("required = (condition IS NULL AND NOT by_rule)", name="conditional_or_required"),
        CheckConstraint("condition IS NULL OR NOT by_rule", name="called_for_in_one_way"),
        CheckConstraint("originals >= 0 AND photocopies >= 0", name="paper_counts_not_negative"),
        CheckConstraint("validity_months > 0", name="validity_positive"),
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
    position: Mapped[int]
    by_rule: Mapped[bool] = mapped_column(server_default=text("false"))
    alternative_group: Mapped[str] = mapped_column(Text, server_default="")
    type_code: Mapped[str] = mapped_column(Text, server_default="")
    origin_note: Mapped[str] = mapped_column(Text, server_default="")
    originals: Mapped[int | None]
    photocopies: Mapped[int | None]
    validity_months: Mapped[int | None]
    specification: Mapped[str] = mapped_column(Text, server_default="")
    filling_notes: Mapped[str] = mapped_column(Text, server_default="")
    acceptance_standard: Mapped[str] = mapped_column(Text, server_default="")
    basis: Mapped[str] = mapped_column(Text, server_default="")
    blank_form: Mapped[str] = mapped_column(Text, server_default="")
    sample_form: Mapped[str] = mapped_column(Text, server_default="")


class ItemRule(Base):
    """What a situation changes: where `condition` holds, `effect` applies with `params` (`situations.rules`)."""

    __tablename__ = "item_rule"
    __table_args__ = (_one_of("effect", Effect, "effect_known"), CheckConstraint("no > 0", name="number_positive"))

    version_id: Mapped[UUID] = mapped_column(ForeignKey("item_version.id"), primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    condition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    effect: Mapped[str] = mapped_column(Text)
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)


class ItemFeeLine(Base):
    """A line of the tariff, in fen; without an amount it names its formula. `by_rule`: only rules call for it."""

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
    by_rule: Mapped[bool] = mapped_column(server_default=text("false"))
    reducible: Mapped[bool] = mapped_column(server_default=text("false"))
    reduction_note: Mapped[str] = mapped_column(Text, server_default="")


class CatalogueRevision(Base):
    """One row: it changes whenever anything that public answers are made of changes. Kept answers watch it."""

    __tablename__ = "catalogue_revision"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[datetime]
