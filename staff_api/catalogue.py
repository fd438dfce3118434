"""The item managers' desk: versions of the own department's items, from draft to law (3.16, S22)."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response, make_response, request

from auth.staff.confirmations.rules import Act
from auth.staff.roles import ITEM_MANAGER
from casework.catalogue.differences import queries as differences
from casework.catalogue.drafts import queries, service
from casework.catalogue.drafts.ports import SECTIONS, shape
from casework.catalogue.drafts.queries import Comparison
from casework.catalogue.errors import PreconditionFailed, PreconditionRequired
from casework.catalogue.linting.queries import version_faults
from casework.catalogue.linting.rules import LintFault
from casework.catalogue.models import ItemVersion
from casework.catalogue.publishing import service as publishing
from casework.catalogue.redirects import service as redirects
from casework.catalogue.rules import GoneKind, VersionState
from core import clock
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.paging import Page, PageIn, page_out
from core.web.request_context import language
from core.web.schemas import Moment, Text

blp = Blueprint(
    "staff_catalogue", __name__, url_prefix="/staff/v1/catalogue", description="事项管理 / Item managers (staff)"
)

CODE = r"\A[A-Z]{2}-[A-Z0-9-]{1,60}\Z"


class VersionsIn(PageIn):
    """What to list."""

    state = ma.fields.Enum(VersionState, by_value=True, load_default=None)
    item_id = Text(64, load_default=None)


class ItemVersionOut(ma.Schema):
    """A line of the list. A draft's `effective_from` is settled when it is published."""

    id = ma.fields.UUID(required=True)
    item_id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    version = ma.fields.Integer(required=True)
    state = ma.fields.String(required=True, validate=ma.validate.OneOf([state.value for state in VersionState]))
    in_force = ma.fields.Boolean(required=True)
    effective_from = ma.fields.Date(required=True)
    effective_to = ma.fields.Date(required=True, allow_none=True)
    base_version_id = ma.fields.UUID(required=True, allow_none=True)
    authors = ma.fields.List(ma.fields.UUID(), required=True)
    published_by = ma.fields.UUID(required=True, allow_none=True)
    edit = ma.fields.Integer(required=True)
    is_sample = ma.fields.Boolean(required=True)

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """The version's own, and whether it is in force today."""
        if attr == "in_force" and isinstance(obj, ItemVersion):
            return queries.is_in_force(obj, clock.today())
        return super().get_attribute(obj, attr, default)


class VersionEventOut(ma.Schema):
    """Something done to the version."""

    action = ma.fields.String(required=True)
    detail = ma.fields.String(required=True)
    note = ma.fields.String(required=True)
    at = Moment(required=True)
    actor = ma.fields.String(required=True)


class ItemVersionDetailOut(ItemVersionOut):
    """A version whole, by sections; the `ETag` of the answer is needed to change it."""

    sections = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Dict(), required=True)
    history = ma.fields.List(ma.fields.Nested(VersionEventOut), required=True)


class OpenDraftIn(ma.Schema):
    """Which item; with `as_item` the draft is of a new item that begins as a copy."""

    item_id = ma.fields.String(required=True, validate=ma.validate.Regexp(CODE))
    as_item = ma.fields.String(load_default=None, validate=ma.validate.Regexp(CODE))


class SectionIn(ma.Schema):
    """The whole section: its elements as the version's detail shows them."""

    content = ma.fields.Dict(keys=ma.fields.String(), required=True)


class LintFaultOut(ma.Schema):
    """A fault: where, what, how to mend it."""

    item_id = ma.fields.String(required=True)
    path = ma.fields.String(required=True)
    problem = ma.fields.String(required=True)
    mend = ma.fields.String(required=True)


class LintOut(ma.Schema):
    """Everything the linter objects to."""

    faults = ma.fields.List(ma.fields.Nested(LintFaultOut), required=True)


class VersionChangeOut(ma.Schema):
    """One difference."""

    element = ma.fields.String(required=True)
    path = ma.fields.String(required=True)
    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(["CHANGED", "ADDED", "REMOVED", "MOVED"]))
    before = ma.fields.Raw(required=True, allow_none=True)
    after = ma.fields.Raw(required=True, allow_none=True)
    text = ma.fields.String(required=True)


class VersionDiffIn(ma.Schema):
    """Another version of the same item to compare with."""

    against = ma.fields.UUID(load_default=None)


class VersionDiffOut(ma.Schema):
    """The differences to the version asked for; else to the one in force, or to the one it was made from."""

    compared_with = ma.fields.UUID(required=True, allow_none=True)
    changes = ma.fields.List(ma.fields.Nested(VersionChangeOut), required=True)


class RebaseIn(ma.Schema):
    """The published version that the draft is to replace; the last one if none is named."""

    onto = ma.fields.UUID(load_default=None)


class PublishVersionIn(ma.Schema):
    """From which day on."""

    effective_from = ma.fields.Date(required=True)


class VersionNoteIn(ma.Schema):
    """Why."""

    note = Text(1_000, required=True, lines=True)


class RetireItemIn(ma.Schema):
    """From which day on the item is no more, why, and where it goes."""

    ends = ma.fields.Date(required=True)
    kind = ma.fields.Enum(GoneKind, by_value=True, required=True)
    successors = ma.fields.List(
        ma.fields.String(validate=ma.validate.Regexp(CODE)), load_default=list, validate=ma.validate.Length(max=50)
    )
    reason = Text(1_000, required=True, lines=True)


def _tag(version: ItemVersion) -> str:
    return f"{version.id}.{version.edit}"


def _expected(version_id: UUID) -> int:
    """The edit number in If-Match. Raises `PreconditionRequired`, `PreconditionFailed` (the tag of something else)."""
    if not request.headers.get("If-Match"):
        raise PreconditionRequired()
    for tag in request.if_match.as_set():
        found, _, edit = tag.rpartition(".")
        if found == str(version_id) and edit.isdecimal() and len(edit) < 9:
            return int(edit)
    raise PreconditionFailed()


def _detail(session: Any, version: ItemVersion) -> Response:
    """The version whole, with its ETag."""
    said = differences.of_version(session, version.id)
    shown: dict[str, Any] = ItemVersionOut().dump(version)
    shown["sections"] = {name: {element: said[element] for element in shapes} for name, shapes in SECTIONS.items()}
    shown["history"] = VersionEventOut(many=True).dump(queries.history(session, version.id))
    response = make_response(shown)
    response.set_etag(_tag(version))
    return response


@blp.get("/versions")
@access.staff(ITEM_MANAGER)
@blp.arguments(VersionsIn, location="query")
@blp.response(200, page_out(ItemVersionOut))
def versions(args: dict[str, Any]) -> Page[ItemVersion]:
    """List the versions of my department's items."""
    with transaction() as session:
        return queries.page(session, access.staff_actor(), args)


@blp.post("/drafts")
@access.staff(ITEM_MANAGER)
@run_once
@blp.arguments(OpenDraftIn)
@blp.response(201, ItemVersionOut)
def open_draft(data: dict[str, Any]) -> ItemVersion:
    """Open a draft from the last published version of an item."""
    with transaction() as session:
        return service.open_draft(session, actor=access.staff_actor(), **data)


@blp.get("/versions/<uuid:version_id>")
@access.staff(ITEM_MANAGER)
@blp.response(200, ItemVersionDetailOut)
def version(version_id: UUID) -> Response:
    """Show a version whole, with its history."""
    with transaction() as session:
        return _detail(session, queries.managed(session, access.staff_actor(), version_id))


@blp.put("/versions/<uuid:version_id>/sections/<section>")
@access.staff(ITEM_MANAGER)
@blp.arguments(SectionIn)
@blp.response(200, ItemVersionDetailOut)
def edit_section(data: dict[str, Any], version_id: UUID, section: str) -> Response:
    """Replace a section of a draft; needs the If-Match of what was read."""
    actor, edit, content = access.staff_actor(), _expected(version_id), shape(section, data["content"])
    with transaction() as session:
        made = service.edit(session, actor=actor, version_id=version_id, edit=edit, section=section, content=content)
        return _detail(session, made)


@blp.get("/versions/<uuid:version_id>/lint")
@access.staff(ITEM_MANAGER)
@blp.response(200, LintOut)
def lint(version_id: UUID) -> dict[str, list[LintFault]]:
    """Check a version's situations."""
    with transaction() as session:
        found = queries.managed(session, access.staff_actor(), version_id)
        return {"faults": version_faults(session, found.id, clock.today())}


@blp.get("/versions/<uuid:version_id>/diff")
@access.staff(ITEM_MANAGER)
@blp.arguments(VersionDiffIn, location="query")
@blp.response(200, VersionDiffOut)
def diff(args: dict[str, UUID | None], version_id: UUID) -> Comparison:
    """Compare a version with the one in force, or with any other of the item."""
    with transaction() as session:
        return queries.compared(session, access.staff_actor(), version_id, clock.today(), language(), **args)


@blp.post("/versions/<uuid:version_id>/rebase")
@access.staff(ITEM_MANAGER)
@blp.arguments(RebaseIn, required=False)
@blp.response(200, ItemVersionOut)
def rebase(data: dict[str, UUID | None], version_id: UUID) -> ItemVersion:
    """Go on from another published version, the one that BASE_CHANGED named; needs If-Match."""
    actor, edit = access.staff_actor(), _expected(version_id)
    with transaction() as session:
        return service.rebase(session, actor=actor, version_id=version_id, edit=edit, **data)


@blp.post("/versions/<uuid:version_id>/submit")
@access.staff(ITEM_MANAGER)
@run_once
@blp.response(200, ItemVersionOut)
def submit(version_id: UUID) -> ItemVersion:
    """Submit a draft for review; needs If-Match."""
    actor, edit = access.staff_actor(), _expected(version_id)
    with transaction() as session:
        return publishing.submit(session, actor=actor, version_id=version_id, edit=edit)


@blp.post("/versions/<uuid:version_id>/send-back")
@access.staff(ITEM_MANAGER)
@run_once
@blp.arguments(VersionNoteIn)
@blp.response(200, ItemVersionOut)
def send_back(data: dict[str, Any], version_id: UUID) -> ItemVersion:
    """Send a submitted draft back with a note."""
    actor = access.staff_actor()
    with transaction() as session:
        return publishing.send_back(session, actor=actor, version_id=version_id, text=data["note"])


@blp.post("/versions/<uuid:version_id>/publish")
@access.staff(ITEM_MANAGER, confirm=Act.PUBLISH)
@run_once
@blp.arguments(PublishVersionIn)
@blp.response(200, ItemVersionOut)
def publish(data: dict[str, date], version_id: UUID) -> ItemVersion:
    """Publish a submitted draft of others, from today or a later day on."""
    with transaction() as session:
        return publishing.publish(session, actor=access.staff_actor(), version_id=version_id, **data)


@blp.post("/versions/<uuid:version_id>/withdraw")
@access.staff(ITEM_MANAGER, confirm=Act.PUBLISH)
@run_once
@blp.arguments(VersionNoteIn)
@blp.response(200, ItemVersionOut)
def withdraw(data: dict[str, Any], version_id: UUID) -> ItemVersion:
    """Take a publication back before its first day."""
    actor = access.staff_actor()
    with transaction() as session:
        return publishing.withdraw(session, actor=actor, version_id=version_id, text=data["note"])


@blp.post("/versions/<uuid:version_id>/give-up")
@access.staff(ITEM_MANAGER)
@run_once
@blp.response(200, ItemVersionOut)
def give_up(version_id: UUID) -> ItemVersion:
    """Give a draft up."""
    with transaction() as session:
        return service.give_up(session, actor=access.staff_actor(), version_id=version_id)


@blp.post("/items/<item_id>/retire")
@access.staff(ITEM_MANAGER, confirm=Act.PUBLISH)
@run_once
@blp.arguments(RetireItemIn)
@blp.response(204)
def retire(data: dict[str, Any], item_id: str) -> None:
    """End an item and say where it goes: renamed, split, merged, moved, succeeded, or nowhere."""
    with transaction() as session:
        redirects.retire_managed(session, actor=access.staff_actor(), item_id=item_id, **data)


@blp.post("/items/<item_id>/keep")
@access.staff(ITEM_MANAGER, confirm=Act.PUBLISH)
@run_once
@blp.arguments(VersionNoteIn)
@blp.response(204)
def keep(data: dict[str, Any], item_id: str) -> None:
    """Take back the end of an item before its day."""
    with transaction() as session:
        redirects.keep_managed(session, actor=access.staff_actor(), item_id=item_id, reason=data["note"])
