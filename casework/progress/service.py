"""Looking a case up by its number, the applicant's name and the last four characters of the document."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date, datetime

from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from casework.cases import queries as cases
from casework.cases.queries import Applicant, Case
from casework.cases.rules import LABELS, NEXT_STEPS, State
from casework.places import queries as places
from casework.progress import rules
from casework.progress.errors import CaseNotMatched, QueryLocked
from core import cache, security
from core.crypto import FieldCipher
from core.errors import SourceUnavailable
from core.identifiers import IdentifierError
from core.ids import parse_case_number
from core.limits import hit
from core.masking import mask_name

_LONGEST_NUMBER = 50
_DECOY = "progress.decoy"
_UNNAMED = ("您的办件", "Your application")


@dataclass(frozen=True, slots=True)
class Progress:
    """What a person who isn't signed in may see: no materials, no address, no result.

    Of a sensitive matter (adoption, household, health, marriage) not even the item is named (3.17).
    """

    case_number: str
    item_name: tuple[str, str]
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
        wanted = number[:_LONGEST_NUMBER]
    counter = "progress:failures:" + security.lookup("progress", wanted).hex()
    try:
        attempt = _take_attempt(counter)
        found = cases.applicant_of(session, wanted)
        if not _matches(found, name, tail):
            if attempt == rules.POLICY.failures_per_number:
                cache.client().expire(counter, rules.POLICY.lock_seconds)
            raise CaseNotMatched()
        cache.client().decr(counter)
    except RedisError as away:
        raise SourceUnavailable() from away
    assert found is not None  # noqa: S101  # matched
    return _shown(session, cases.case(session, found.case_id))


def _matches(found: Applicant | None, name: str, tail: str) -> bool:
    """Deciphers and compares a made-up applicant when there is none, so that both take the same time (QY-1)."""
    if found is None:
        made_up = [security.decrypt(token, _DECOY) for token in _decoy(security.cipher())]
        rules.matches(name=name, tail=tail, case_name=made_up[0], case_document=made_up[1])
        return False
    return rules.matches(name=name, tail=tail, case_name=found.name, case_document=found.document)


@functools.lru_cache(maxsize=1)
def _decoy(cipher: FieldCipher) -> tuple[bytes, bytes]:
    return cipher.encrypt("张三丰", context=_DECOY), cipher.encrypt("330299199001010000", context=_DECOY)


def _take_attempt(counter: str) -> int:
    """Count this attempt before it is judged, so that many at once are not judged more often than five times."""
    pipe = cache.client().pipeline()
    pipe.incr(counter)
    pipe.expire(counter, rules.POLICY.lock_seconds, nx=True)
    attempt = int(pipe.execute()[0])
    if attempt > rules.POLICY.failures_per_number:
        left = max(1, int(cache.client().ttl(counter)))
        raise QueryLocked(headers={"Retry-After": str(left)}, retry_after=left)
    return attempt


def _shown(session: Session, case: Case) -> Progress:
    state = State(case.state)
    moves = cases.public_timeline(case)
    return Progress(
        case_number=case.number,
        item_name=_UNNAMED if case.sensitive else (case.item_name, case.item_name),
        hall_name=places.hall(session, case.accept_hall_id).name,
        applicant=mask_name(case.applicant_name),
        state=state,
        state_label=LABELS[state],
        last_step_at=moves[-1].at if moves else case.received_at,
        promised_on=case.due_on,
        provisional=case.due_status == "PROVISIONAL",
        next_step=NEXT_STEPS.get(state, ("", "")),
    )
