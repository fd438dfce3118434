"""Looking a case up by its number, the applicant's name and the last four characters of the document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from casework.cases import queries
from casework.cases.queries import Case
from casework.cases.rules import LABELS, NEXT_STEPS, State
from casework.places import queries as places
from casework.progress import rules
from casework.progress.errors import CaseNotMatched, QueryLocked
from core import cache, security
from core.errors import SourceUnavailable
from core.identifiers import IdentifierError
from core.ids import parse_case_number
from core.limits import hit
from core.masking import mask_name

_NO_DOCUMENT = "0000"


@dataclass(frozen=True, slots=True)
class Progress:
    """What a person who isn't signed in may see: no materials, no address, no result."""

    case_number: str
    item_name: str
    hall_name: str
    applicant: str
    state: State
    state_label: tuple[str, str]
    last_step_at: datetime
    promised_on: date | None
    provisional: bool
    next_step: tuple[str, str]


def look_up(session: Session, *, number: str, name: str, tail: str, address: str) -> Progress:
    """The progress of the case that number, name and tail agree on.

    Raises `CaseNotMatched` (one answer for every kind of mismatch, a malformed number included: QY-1), `QueryLocked` after five
    failures of one number in an hour, `RateLimited` per address, and `SourceUnavailable` while Redis is away: without the
    counters a weak secret must not be tried (QY-2).
    """
    hit(rules.POLICY.per_address, address)
    try:
        wanted = parse_case_number(number)
    except IdentifierError:
        wanted = ""
    lock = "progress:failures:" + security.lookup("progress", wanted or number[:64]).hex()
    try:
        _check_lock(lock)
        case = queries.by_number(session, wanted or number[:50])
        if not _matches(case, name, tail):
            _count_failure(lock)
            raise CaseNotMatched()
    except RedisError as away:
        raise SourceUnavailable() from away
    assert case is not None  # noqa: S101  # matched
    return _shown(session, case)


def _matches(case: Case | None, name: str, tail: str) -> bool:
    """Compares against a made-up case when there is none, so that both take the same time."""
    case_name, document = (case.applicant_name, case.applicant_document) if case else ("-", _NO_DOCUMENT)
    return rules.matches(name=name, tail=tail, case_name=case_name, case_document=document) and case is not None


def _check_lock(key: str) -> None:
    failures = int(cache.client().get(key) or 0)
    if failures >= rules.POLICY.failures_per_number:
        left = max(1, int(cache.client().ttl(key)))
        raise QueryLocked(headers={"Retry-After": str(left)}, retry_after=left)


def _count_failure(key: str) -> None:
    pipe = cache.client().pipeline()
    pipe.incr(key)
    pipe.expire(key, rules.POLICY.lock_seconds)
    pipe.execute()


def _shown(session: Session, case: Case) -> Progress:
    state = State(case.state)
    moves = queries.public_timeline(case)
    return Progress(
        case_number=case.number,
        item_name=case.item_name,
        hall_name=places.hall(session, case.accept_hall_id).name,
        applicant=mask_name(case.applicant_name),
        state=state,
        state_label=LABELS[state],
        last_step_at=moves[-1].at if moves else case.received_at,
        promised_on=case.due_on,
        provisional=case.due_status == "PROVISIONAL",
        next_step=NEXT_STEPS.get(state, ("", "")),
    )
