"""Proving more, when the site needs it: name and number, the other ways with their reasons, what waits for a person to look.

The level is raised through `auth.identity`, as over the API; these pages only ask the questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, request

from auth.accounts import queries as people
from auth.identity import queries, service
from auth.identity.ports import CheckResult
from auth.identity.queries import Evidence
from auth.identity.rules import EvidenceType, Result
from auth.identity.ways.rules import ONLINE_DOCUMENTS, step_up_ways
from auth.oidc.interactions import service as interactions
from auth.oidc.interactions.service import StepUp
from auth.sessions.queries import Live
from casework.places import queries as places
from core import clock
from core.db import transaction
from core.errors import NotFound
from core.identifiers import DocumentType
from core.web import access
from gateway.oidc.pages import look as looks
from gateway.oidc.pages.frame import ANYBODY, Visit, blueprint, page, wanted
from gateway.oidc.pages.texts import KINDS

_MOST_HALLS = 20
# In a browser that is open in WeChat the ways are those of WeChat.
_CHANNEL, _IN_WECHAT = "H5", "WXOA"
# The pages that start a way; what has none here is done in the app.
_PAGES = {
    "NAME_NUMBER": ("/document", "proof.document.hint"),
    "ALIPAY": ("/real-name", "proof.alipay.hint"),
    "NETID": ("/network-id", "proof.network.hint"),
    "HALL": ("/halls", "proof.hall.hint"),
    "HALL_VISIT": ("/halls", "proof.hall.hint"),
}


@dataclass(frozen=True, slots=True)
class Way:
    """A way as the page shows it; without an address it is closed, and `hint` says why."""

    label: str
    hint: str
    address: str | None = None


def channel() -> str:
    """The channel by which ways are open or closed."""
    return _IN_WECHAT if looks.inside_wechat() else _CHANNEL


def live_of(visit: Visit) -> Live:
    """The session of the person who steps up."""
    live = visit.browser.live
    assert live is not None  # noqa: S101  # else the step were SignIn
    return live


@blueprint.get("/sign-in/<handle>/proof")
@access.public(ANYBODY)
@page(StepUp)
def proof(visit: Visit) -> Response:
    """Show the ways to the level that the site needs, closed ones with the reason."""
    step, live = wanted(visit, StepUp), live_of(visit)
    with transaction() as session:
        document = people.document(session, live.subject_id)
        waiting = _waiting(queries.standing_evidence(session, live.subject_id, clock.now()))
    known = None if document is None or step.have < 2 else document.type
    found = step_up_ways(channel(), step.have, step.need, language=visit.look.language, document=known)
    ways = sorted((_way(visit, way, waiting) for way in found), key=_order)
    return visit.page("proof.html", ways=ways, may_decline=not step.essential)


def _way(visit: Visit, way: dict[str, Any], waiting: dict[EvidenceType, datetime]) -> Way:
    label, code = str(way["label"]), str(way["way"])
    if not way["open"]:
        return Way(label, str(way["reason"]))
    if code in EvidenceType.__members__ and EvidenceType(code) in waiting:
        return Way(label, visit.text("proof.review", when=when(waiting[EvidenceType(code)], visit.look.language)))
    if code not in _PAGES:
        return Way(label, visit.text("proof.app_only"))
    path, hint = _PAGES[code]
    return Way(label, visit.text(hint), visit.here + path)


def _order(way: Way) -> int:
    """What can be done here and now comes first, then what takes a walk, then what is closed."""
    if way.address is None:
        return 2
    return 1 if way.address.endswith("/halls") else 0


def _waiting(evidence: Any) -> dict[EvidenceType, datetime]:
    """When to look again, for each kind that a person looks at."""
    found: dict[EvidenceType, datetime] = {}
    for one in evidence:
        seen: Evidence = one
        if seen.result is Result.REVIEW and seen.look_again_at is not None and seen.look_again_at > clock.now():
            found[seen.type] = seen.look_again_at
    return found


def when(moment: datetime, language: str) -> str:
    """A moment as people write it, Shanghai time."""
    local = clock.local(moment)
    if language == "en":
        return f"{local:%B} {local.day}, {local.year}, {local:%H:%M}"
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


@blueprint.post("/sign-in/<handle>/proof/decline")
@access.public(ANYBODY)
@page(StepUp)
def decline(visit: Visit) -> Response:
    """Go on at the level one has, where the site lets one."""
    with transaction() as session:
        interactions.decline_step_up(session, interaction=visit.interaction.id, browser=visit.browser)
    return visit.go()


# Name and number -----------------------------------------------------------------------------------------------------


@blueprint.get("/sign-in/<handle>/document")
@access.public(ANYBODY)
@page(StepUp)
def kinds(visit: Visit) -> Response:
    """Ask which document the person has."""
    return visit.page("kinds.html", kinds=[(kind.value, _label(visit, kind)) for kind in ONLINE_DOCUMENTS])


@blueprint.get("/sign-in/<handle>/document/<kind>")
@access.public(ANYBODY)
@page(StepUp)
def document(visit: Visit, kind: str) -> Response:
    """Ask for name and number as they stand on the document."""
    asked = _kind(kind)
    return visit.page("document.html", kind=kind, kind_label=_label(visit, asked))


@blueprint.post("/sign-in/<handle>/document/<kind>", endpoint="check_document")
@access.public(ANYBODY)
@page(StepUp, form="document/{kind}", field="name")
def check_document(visit: Visit, kind: str) -> Response:
    """Let the population source compare name and number."""
    actor = live_of(visit).actor
    answer = service.ask(
        actor=actor,
        name=request.form.get("name", ""),
        document_type=_kind(kind).value,
        document_number=request.form.get("document_number", ""),
    )
    with transaction() as session:
        outcome = service.record_answer(session, actor=actor, answer=answer)
    outcome.insist()
    return visit.go("/review" if outcome.result is CheckResult.REVIEW else "")


def _kind(raw: str) -> DocumentType:
    found = next((kind for kind in ONLINE_DOCUMENTS if kind.value == raw), None)
    if found is None:
        raise NotFound()
    return found


def _label(visit: Visit, kind: DocumentType) -> str:
    return KINDS[kind.value] if visit.look.language == "en" else kind.label


@blueprint.get("/sign-in/<handle>/review")
@access.public(ANYBODY)
@page(StepUp)
def review(visit: Visit) -> Response:
    """Say when to look again."""
    with transaction() as session:
        waiting = _waiting(queries.standing_evidence(session, live_of(visit).subject_id, clock.now()))
    if not waiting:
        return visit.go()
    return visit.page("review.html", when=when(max(waiting.values()), visit.look.language))


@blueprint.get("/sign-in/<handle>/halls")
@access.public(ANYBODY)
@page(StepUp)
def halls(visit: Visit) -> Response:
    """Show the halls where a document is checked."""
    with transaction() as session:
        found = places.halls(session, region=None, level=None, item_id=None, cursor=None, limit=_MOST_HALLS)
    return visit.page("halls.html", halls=found.items)
