"""Making bundles. The session is given; nothing here commits."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from joserfc import jws
from joserfc.jwk import ECKey
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from casework.catalogue.bundle import queries, rules
from casework.catalogue.bundle.models import CatalogueBundle, CatalogueBundleKey
from casework.catalogue.models import CatalogueRevision
from casework.catalogue.rules import SAMPLE_NOTICE
from core import audit, clock, jobs
from core.actors import Actor

BUILD = "catalogue_bundle.build"

_LOCK = 0x6E62626C  # "nbbl" in ASCII


@dataclass(frozen=True, slots=True)
class Built:
    """The newest bundle, and whether it was made just now; else the one before still holds."""

    number: int
    items: int
    made: bool


@dataclass(frozen=True, slots=True)
class _Document:
    """Ready to be sent."""

    body: bytes
    etag: str
    signature: str


@dataclass(frozen=True, slots=True)
class _Content:
    """The catalogue of a day: the entries as JSON, their digests, what the codes are called."""

    entries: Mapping[str, bytes]
    digests: Mapping[str, str]
    names: dict[str, Any]
    sample: bool


def ask_for(session: Session) -> None:
    """Have a bundle made soon; asked twice, it is made once."""
    jobs.defer(session, BUILD, once=BUILD)


def build(session: Session) -> Built | None:
    """Make the bundle of today, unless the newest one says the same already. None: another process is at it."""
    if not session.execute(select(func.pg_try_advisory_xact_lock(_LOCK))).scalar_one():
        return None
    return _build(session, anew=False)


def _build(session: Session, *, anew: bool) -> Built:
    """Under the lock. What is published while this reads is in the next one: the revision is read first."""
    day, revision = clock.today(), session.execute(select(CatalogueRevision.revision)).scalar_one()
    last = session.execute(
        select(
            CatalogueBundle.number,
            CatalogueBundle.revision,
            CatalogueBundle.day,
            CatalogueBundle.names,
            CatalogueBundle.digests,
        )
        .order_by(CatalogueBundle.number.desc())
        .limit(1)
    ).one_or_none()
    if last is not None and not anew and (last.revision, last.day) == (revision, day):
        return Built(last.number, len(last.digests), made=False)
    found = _content(session, day)
    if last is not None and not anew and (last.names, last.digests) == (found.names, found.digests):
        seen = update(CatalogueBundle).where(CatalogueBundle.number == last.number)
        session.execute(seen.values(revision=revision, day=day))
        return Built(last.number, len(found.digests), made=False)
    number = 1 if last is None else last.number + 1
    _add(session, number, revision, day, found)
    return Built(number, len(found.digests), made=True)


def replace_key(session: Session, *, actor: Actor) -> Built:
    """Sign with a new key from now on, and the newest bundle anew; the key of before is published no more."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    session.execute(delete(CatalogueBundleKey))
    key = _key(session)
    audit.record(
        session,
        actor=actor,
        action="catalogue_bundle_key.replace",
        object_type="catalogue_bundle_key",
        object_id=str(key.kid),
    )
    return _build(session, anew=True)


def _content(session: Session, day: date) -> _Content:
    entries: dict[str, bytes] = {}
    sample = False
    for row in queries.rows(session, day):
        entries[row.item_id] = orjson.dumps(rules.entry(row))
        sample = sample or row.is_sample
    digests = {item_id: rules.digest(entry) for item_id, entry in entries.items()}
    return _Content(entries, digests, queries.names(session), sample)


def _add(session: Session, number: int, revision: int, day: date, found: _Content) -> None:
    """Write the bundle, and for each one kept what leads to it."""
    key = _key(session)
    said: dict[str, Any] = {
        "format": rules.FORMAT,
        "bundle": number,
        "revision": revision,
        "day": day.isoformat(),
        "notice": SAMPLE_NOTICE["zh"] if found.sample else None,
        **found.names,
    }
    whole = _document(key, {**said, "items": [orjson.Fragment(entry) for entry in found.entries.values()]})
    said["etag"] = whole.etag
    none = _changes(key, {**said, "from": number, "from_etag": whole.etag}, found.digests, found)
    session.add(
        CatalogueBundle(
            number=number,
            revision=revision,
            day=day,
            names=found.names,
            digests=dict(found.digests),
            body=whole.body,
            etag=whole.etag,
            signature=whole.signature,
            changes=none.body,
            changes_etag=none.etag,
            changes_signature=none.signature,
            made_at=clock.wall(),
        )
    )
    session.execute(delete(CatalogueBundle).where(CatalogueBundle.number <= number - rules.KEPT))
    older = session.execute(
        select(CatalogueBundle.number, CatalogueBundle.etag, CatalogueBundle.digests).where(
            CatalogueBundle.number < number
        )
    ).all()
    for row in older:
        made = _changes(key, {**said, "from": row.number, "from_etag": row.etag}, row.digests, found)
        session.execute(
            update(CatalogueBundle)
            .where(CatalogueBundle.number == row.number)
            .values(changes=made.body, changes_etag=made.etag, changes_signature=made.signature)
        )


def _changes(key: ECKey, said: Mapping[str, Any], digests: Mapping[str, str], found: _Content) -> _Document:
    """What leads to the newest bundle from the one of `digests`.

    The tags tell a reader whether that is the one it has: a restored database gives the same numbers again.
    """
    steps = rules.difference(digests, found.digests)
    return _document(
        key,
        {
            **said,
            "added": [orjson.Fragment(found.entries[item_id]) for item_id in steps.added],
            "changed": [orjson.Fragment(found.entries[item_id]) for item_id in steps.changed],
            "removed": steps.removed,
        },
    )


def _document(key: ECKey, content: Mapping[str, Any]) -> _Document:
    """Its signature is detached and over the JSON as it is sent (RFC 7797), so that the reader needn't encode megabytes."""
    payload = orjson.dumps(content)
    header = {"alg": rules.ALGORITHM, "b64": False, "crit": ["b64"], "kid": key.kid}
    signature = jws.serialize_compact(header, payload, key, algorithms=[rules.ALGORITHM])
    # Weak: the same content is sent with and without gzip.
    etag = f'W/"{hashlib.sha256(payload).hexdigest()[:32]}"'
    return _Document(gzip.compress(payload, mtime=0), etag, signature)


def _key(session: Session) -> ECKey:
    """The key, made if there is none. Under the lock."""
    row = session.scalars(select(CatalogueBundleKey)).one_or_none()
    if row is not None:
        return ECKey.import_key({**json.loads(row.private_key), "kid": row.kid})
    made = ECKey.generate_key(rules.CURVE, auto_kid=False)
    kid = made.thumbprint()
    session.add(
        CatalogueBundleKey(
            id=1,
            kid=kid,
            private_key=json.dumps(made.as_dict(private=True)),
            public_jwk={**made.as_dict(private=False), "kid": kid, "use": "sig", "alg": rules.ALGORITHM},
            made_at=clock.wall(),
        )
    )
    session.flush()
    return ECKey.import_key({**made.as_dict(private=True), "kid": kid})
