"""Searching: few statements, none of which reads more rows than it compares, and no more CPU than a millisecond or two."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Engine, column, text
from sqlalchemy.orm import Session

from casework.catalogue.search.comparing.rules import SCALE, Candidate, ranked
from casework.catalogue.search.lexicon.rules import lexicon
from casework.catalogue.search.ranking.rules import MOST, TOPIC, Wanted, good_enough, plan
from casework.catalogue.search.rows import queries as rows
from casework.catalogue.search.service import CITY
from casework.catalogue.search.understanding.rules import read
from core.errors import InvalidInput
from core.statements import Statement
from core.web import paging

LOOK_SECONDS = 1.0
RELOAD_SECONDS = 5.0
"""How often the revision is looked at, and how often at most the counts of terms are read again."""
_SUGGESTIONS = 8
_NEAREST = 5
_LEAST_CHARACTERS, _LEAST_LETTERS = 2, 3
"""In how many characters, or Latin letters, a nearby word begins like what was typed."""
_MANY_WORDS = 24
"""How many words are tried for suggestions."""

_POSITION = re.compile(r"(-?[0-9]{1,9}) ([A-Z0-9-]{1,64})")
_IN_FORCE = "effective_from <= :day AND (effective_to IS NULL OR effective_to > :day)"
_NARROWED = {
    "zone": "zone_code = :zone",
    "department": "department_id = :department",
    "region": f"region_code IN (:region, '{CITY}')",
    "service_object": "service_objects @> ARRAY[:service_object]",
    "topic": f"terms @> ARRAY['{TOPIC}' || :topic]",
    "online_depth": "online_depth = :online_depth",
    "hot": "hot = :hot",
    "bookable": "bookable = :bookable",
    "deliverable": "deliverable = :deliverable",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of items is narrowed by; None and "" don't narrow. `region`: its own items and those of the city."""

    q: str = ""
    zone: str | None = None
    department: str | None = None
    region: str | None = None
    service_object: str | None = None
    topic: str | None = None
    online_depth: str | None = None
    hot: bool | None = None
    bookable: bool | None = None
    deliverable: bool | None = None

    def widest(self) -> Filters:
        """Only the words."""
        return Filters(self.q)

    def narrowing(self) -> dict[str, Any]:
        """What is set, but the words."""
        return {name: value for name in _NARROWED if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the list; `answer` is its JSON, ready to send."""

    item_id: str
    is_sample: bool
    answer: orjson.Fragment

    @classmethod
    def of(cls, row: Sequence[Any]) -> Entry:
        """From its three columns, the last of them text."""
        return cls(row[0], row[1], orjson.Fragment(row[2]))


@dataclass(frozen=True, slots=True)
class Nothing:
    """Why nothing was found.

    The words that say nothing to the catalogue, nearby words that do, and how many items there
    are without the filters.
    """

    not_understood: tuple[str, ...]
    try_instead: tuple[str, ...]
    without_filters: int


@dataclass(frozen=True, slots=True)
class Found:
    """A page of items; `nothing` when there are none at all."""

    items: Sequence[Entry]
    next_cursor: str | None
    nothing: Nothing | None = None


@dataclass(frozen=True, slots=True)
class _Terms:
    """How common each term is, as of a revision of the catalogue."""

    revision: int
    counts: Mapping[str, int]
    total: int
    read_at: float

    def known(self, term: str) -> int:
        return self.counts.get(term, 0)


class _State:
    lock = threading.Lock()
    source: Engine | Connection | None = None
    looked_at = 0.0
    terms: _Terms | None = None


def _rows(session: Session, statement: str, values: Mapping[str, Any]) -> Sequence[Any]:
    return session.connection().execute(text(statement), dict(values)).all()


def _terms(session: Session) -> _Terms:
    """The counts of terms, kept in the process; looked at again once a second."""
    source, now = session.get_bind(), time.monotonic()
    with _State.lock:
        terms = _State.terms if _State.source is source else None
        if terms is not None and (now - _State.looked_at < LOOK_SECONDS or now - terms.read_at < RELOAD_SECONDS):
            return terms
        _State.looked_at = now
    revision = _rows(session, "SELECT revision FROM catalogue_revision", {})[0][0]
    if terms is None or terms.revision != revision:
        counts = {row[0]: row[1] for row in _rows(session, "SELECT term, items FROM item_search_term", {})}
        terms = _Terms(revision, counts, max(counts.get("", 0), 1), now)
        with _State.lock:
            _State.source, _State.terms = source, terms
    return terms


@dataclass(frozen=True, slots=True)
class _Answer:
    """The items that answer, the best first, each with its place in the order; `stamps`: the rows of all that were compared."""

    wanted: Sequence[Wanted]
    places: Sequence[tuple[int, str]]
    stamps: Mapping[str, int]

    @property
    def whole(self) -> str:
        return self.wanted[0].reading.whole


def _answer(session: Session, filters: Filters, day: date) -> _Answer:
    terms = _terms(session)
    readings = read(filters.q, lexicon(), terms.known)
    wanted = [Wanted.of(reading, terms.known, terms.total) for reading in readings]
    chosen = plan(wanted, terms.total)
    found: dict[str, _Row] = {}
    places: list[tuple[int, str]] = []
    if chosen.few:
        found = _candidates([chosen.few], filters, day)
        places = ranked(wanted, [row.candidate for row in found.values()])
    if chosen.common and not (places and good_enough(places[0][0] / SCALE)):
        together = _candidates(chosen.common, filters, day) if len(chosen.common) > 1 else {}
        found |= together or _candidates(chosen.loose, filters, day)
        places = ranked(wanted, [row.candidate for row in found.values()])
    return _Answer(wanted, places, {item_id: row.stamp for item_id, row in found.items()})


class _Row(NamedTuple):
    stamp: int
    candidate: Candidate


def _candidates(groups: Sequence[Sequence[str]], filters: Filters, day: date) -> dict[str, _Row]:
    """Items that hold a term of each group, or any without groups, the most used first, at most `MOST`."""
    narrowing = filters.narrowing()
    terms = {f"terms{number}": list(group) for number, group in enumerate(groups)}
    statement = _holding(len(groups), tuple(narrowing))
    uses: dict[int, int] = dict(statement.alone(**terms, **narrowing, day=day))
    texts = rows.texts(uses)
    return {row[0]: _Row(stamp, Candidate._make((*row, uses[stamp]))) for stamp, row in texts.items()}


@cache
def _holding(groups: int, narrowing: tuple[str, ...]) -> Statement:
    """Stamps and uses of the rows that hold a term of each of so many groups and are narrowed by these filters."""
    conditions = [f"terms && :terms{number}" for number in range(groups)]
    conditions += [_NARROWED[name] for name in narrowing]
    held = f"SELECT stamp, uses, hot, item_id FROM item_search WHERE {' AND '.join([*conditions, _IN_FORCE])}"  # noqa: S608
    # Without MATERIALIZED the planner would go by `uses`, and read thousands of rows until enough of them hold a term.
    held = f"MATERIALIZED ({held})" if groups else f"({held})"
    wanted = (
        f"WITH held AS {held} SELECT stamp, uses FROM held ORDER BY uses DESC, (hot IS FALSE), item_id LIMIT {MOST}"  # noqa: S608
    )
    return Statement(text(wanted).columns(column("stamp"), column("uses")))


def search(session: Session, filters: Filters, day: date, *, cursor: str | None, limit: int, language: str) -> Found:
    """Items in force on `day`: the best answers first (see `ranking`); without words all of them, the hot ones first (S33, S48).

    Raises `InvalidInput` for a made-up cursor.
    """
    after = _position(cursor) if cursor else None
    if not filters.q:
        return _listed(session, filters, day, after=after, limit=limit, language=language)
    answer = _answer(session, filters, day)
    places = answer.places
    if after is not None:
        places = [place for place in places if (-place[0], place[1]) > (-after[0], after[1])]
    shown = places[:limit]
    if not answer.places:
        return Found([], None, _nothing(session, answer, filters, day))
    stamps = [answer.stamps[item_id] for _, item_id in shown]
    lines = rows.lines(stamps, language)
    found = [Entry.of(lines[stamp]) for stamp in stamps if stamp in lines]
    last = f"{shown[-1][0]} {shown[-1][1]}" if len(places) > limit else None
    return Found(found, paging.encode(last) if last else None)


def _position(cursor: str) -> tuple[int, str]:
    found = _POSITION.fullmatch(paging.decode(cursor))
    if found is None:
        raise InvalidInput(fields={"cursor": ["不是有效的翻页标记 / not a valid cursor"]})
    return int(found[1]), found[2]


def _listed(
    session: Session, filters: Filters, day: date, *, after: tuple[int, str] | None, limit: int, language: str
) -> Found:
    narrowing = filters.narrowing()
    conditions = [_NARROWED[name] for name in narrowing]
    values = narrowing | {"day": day, "limit": limit + 1}
    if after is not None:
        conditions.append("((hot IS FALSE), item_id) > (:cold, :after)")
        values |= {"cold": after[0] > 0, "after": after[1]}
    statement = (
        f"SELECT item_id, is_sample, entry_{_checked(language)}, hot FROM item_search "  # noqa: S608
        f"WHERE {' AND '.join([*conditions, _IN_FORCE])} ORDER BY (hot IS FALSE), item_id LIMIT :limit"
    )
    found = _rows(session, statement, values)
    entries = [Entry.of(row) for row in found[:limit]]
    if not entries and after is None:
        return Found([], None, Nothing((), (), _count(session, filters.widest(), day)))
    last = found[limit - 1] if len(found) > limit else None
    return Found(entries, paging.encode(f"{int(not last[3])} {last[0]}") if last else None)


def most_used(session: Session, day: date, *, limit: int, language: str) -> list[Entry]:
    """What most people used lately; while nobody has, the hot ones (S48)."""
    statement = (
        f"SELECT item_id, is_sample, entry_{_checked(language)} FROM item_search WHERE {_IN_FORCE} "  # noqa: S608
        "ORDER BY uses DESC, (hot IS FALSE), item_id LIMIT :limit"
    )
    return [Entry.of(row) for row in _rows(session, statement, {"day": day, "limit": limit})]


def _count(session: Session, filters: Filters, day: date) -> int:
    """How many items there are, as far as it takes to tell that there are some."""
    if filters.q:
        return len(_answer(session, filters, day).places)
    statement = f"SELECT count(*) FROM (SELECT 1 FROM item_search WHERE {_IN_FORCE} LIMIT {MOST}) AS counted"  # noqa: S608
    return int(_rows(session, statement, {"day": day})[0][0])


def _checked(language: str) -> str:
    return "en" if language == "en" else "zh"


def entries(session: Session, item_ids: Sequence[str], day: date, language: str) -> list[Entry]:
    """The lines of these items, in this order; those that aren't in force on `day` are left out."""
    if not item_ids:
        return []
    statement = (
        f"SELECT item_id, is_sample, entry_{_checked(language)} FROM item_search "  # noqa: S608
        f"WHERE item_id = ANY(:ids) AND {_IN_FORCE}"
    )
    found = {row[0]: row for row in _rows(session, statement, {"ids": list(item_ids), "day": day})}
    return [Entry.of(row) for row in map(found.get, item_ids) if row is not None]


def _nothing(session: Session, answer: _Answer, filters: Filters, day: date) -> Nothing:
    narrowing = filters.narrowing()
    elsewhere = _count(session, filters.widest(), day) if narrowing else 0
    sought = answer.wanted[0].sought
    unknown = [one.unit.text for one in sought if not one.items]
    if not unknown and not elsewhere:
        unknown = [
            one.unit.text for one in sought
        ]  # the catalogue holds parts of it, but nothing that would be an answer
    return Nothing(tuple(unknown), tuple(_nearest(session, answer.whole)), elsewhere)


def _nearest(session: Session, whole: str) -> Iterable[str]:
    """Words that begin like what was typed, or like the most of it, and that lead to items; a lone character says too little."""
    terms = _terms(session)
    shortest = min(_LEAST_LETTERS if whole.isascii() else _LEAST_CHARACTERS, max(len(whole), 1))
    for length in range(len(whole), shortest - 1, -1):
        words = _leading(whole[:length], terms, _NEAREST)
        if words:
            return words
    return []


def _leading(typed: str, terms: _Terms, limit: int) -> list[str]:
    """Words that begin so and lead to items, those first that many others begin with; English ones where English is typed."""
    words = (word.text for word in lexicon().beginning(typed, _MANY_WORDS))
    return list(
        islice((word for word in words if (typed.isascii() or not word.isascii()) and _leads(word, terms)), limit)
    )


def _leads(word: str, terms: _Terms) -> bool:
    reading = read(word, lexicon(), terms.known)[0]
    return any(one.items for one in Wanted.of(reading, terms.known, terms.total).sought)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What somebody may be typing: the name of an item, or words that lead to some (then without `item_id`)."""

    text: str
    item_id: str | None


def suggest(session: Session, typed: str, day: date) -> list[Suggestion]:
    """At most 8 ways to go on typing: the people's words that begin so (characters, pinyin, initials), then names of items."""
    answer = _answer(session, Filters(q=typed), day)
    whole = answer.whole
    if not whole:
        return []
    terms = _terms(session)
    words = _leading(whole, terms, _SUGGESTIONS // 2)
    titles = _titles(session, [item_id for _, item_id in answer.places[:_SUGGESTIONS]], day)
    made = [Suggestion(word, None) for word in words] + [Suggestion(title, key) for key, title in titles]
    return made[:_SUGGESTIONS]


def _titles(session: Session, item_ids: Sequence[str], day: date) -> list[tuple[str, str]]:
    if not item_ids:
        return []
    statement = f"SELECT item_id, title FROM item_search WHERE item_id = ANY(:ids) AND {_IN_FORCE}"  # noqa: S608
    titles = {row[0]: row[1] for row in _rows(session, statement, {"ids": list(item_ids), "day": day})}
    return [(item_id, titles[item_id]) for item_id in item_ids if item_id in titles]
