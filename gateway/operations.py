"""What the command line does: imports, audit verification, key rotation. No HTTP, no framework."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import InstrumentedAttribute

from auth.staff import service as staff_service
from casework.catalogue import service as catalogue
from casework.catalogue.answers import service as answers
from casework.catalogue.bundle import service as bundles
from casework.catalogue.exporting import service as exporting
from casework.catalogue.importing.faults.rules import Fault
from casework.catalogue.importing.reading.service import OPERATOR, Format, Unreadable, opened
from casework.catalogue.importing.writing.service import Progress, silent
from casework.catalogue.linting import queries as linter
from casework.catalogue.search import service as catalogue_search
from casework.places import queries as places
from casework.places.points import service as points
from core import audit, calendar, clock, retention, security
from core.actors import System
from core.audit import ChainReport
from core.db import Base, Encrypted, transaction
from core.settings import Settings
from gateway.wiring import wire

SAMPLE_YEARS = (2017, 2018, 2025, 2026)
_ROTATE_BATCH = 500


def connect(settings: Settings) -> None:
    """Make this process ready to work."""
    wire(settings)


def import_sample(progress: Callable[[str], None]) -> Sequence[Fault]:
    """Import the sample catalogue, places and calendars; the faults found, if any (then nothing was changed)."""
    with transaction() as session:
        # Only what is missing: days of these years may have been changed since.
        missing = [year for year in SAMPLE_YEARS if year not in calendar.read(session).published_years]
        days = calendar.package_days(missing)
        # Nothing was reckoned before the sample is there: nothing follows.
        calendar.publish(session, days, source=calendar.package(), published_by=System("sample").audit_id)
        progress("calendars of 2017, 2018, 2025 and 2026 published")
        report = catalogue.import_sample(session, catalogue.sample_document())
        if report.faults:
            session.rollback()
            return report.faults
        places_report = catalogue.import_sample_places(session)
        if places_report.faults:
            session.rollback()
            return places_report.faults
    progress(f"{report.items} items, {report.changed} new or changed; places imported")
    return ()


def import_catalogue(
    file: Path,
    progress: Callable[[str], None],
    *,
    wanted: Format | None = None,
    dry_run: bool = False,
    steps: Progress = silent,
) -> Sequence[Fault]:
    """Import the items of a file or folder; the faults found, if any (then nothing was changed).

    `dry_run`: do all of it, then take it back. Raises `ImportRunning`.
    """
    with transaction() as session:
        report = catalogue.import_file(session, file, actor=System("operator"), wanted=wanted, progress=steps)
        if report.faults or dry_run:
            session.rollback()
        if report.faults:
            return report.faults
    for sheet, column, rows in report.not_kept:
        progress(f"not kept here: {sheet} {column}, said in {rows} rows")
    if not report.changed:
        progress(f"{report.items} items, unchanged")
    else:
        progress(f"{report.items} items, {report.changed} {'would be ' if dry_run else ''}new or changed")
    return ()


def export_catalogue(target: Path, wanted: Format, department: str | None, progress: Callable[[str], None]) -> None:
    """Write the items in force today into `target`: all of it, or, when that fails, nothing. Raises `OSError`."""
    with tempfile.TemporaryDirectory(prefix=".export-", dir=target.resolve().parent) as folder:
        made = Path(folder, target.name)
        with transaction() as session:
            done = exporting.export(session, made, wanted, day=clock.today(), department_id=department)
        if made.is_dir():
            target.mkdir(exist_ok=True)
            for file in made.iterdir():
                file.replace(target / file.name)
        else:
            made.replace(target)
    for element, items in sorted(done.not_carried.items()):
        progress(f"this format has no place for: {element}, of {items} items")
    progress(f"{done.items} items")


def import_points(
    file: Path, progress: Callable[[str], None], *, dry_run: bool = False, overwrite: bool = False
) -> Sequence[Fault]:
    """Import the service points of `file`; the faults found, if any (then nothing was changed).

    `overwrite`: also what was edited here since the last import. `dry_run`: do all of it, then take it back.
    """
    try:
        with opened(file, OPERATOR) as (found, document):
            if found is not Format.JSON:
                raise Unreadable("WRONG_FORMAT", found=found.value, wanted=Format.JSON.value)
    except Unreadable as unreadable:
        return (unreadable.fault,)
    with transaction() as session:
        report = points.import_points(session, document, overwrite=overwrite)
        if report.faults or dry_run:
            session.rollback()
        if report.faults:
            return report.faults
    progress(f"{report.points} points, {report.changed} rows {'would be ' if dry_run else ''}new or changed")
    return ()


def reindex_catalogue() -> int:
    """Write anew what the search reads; returns the versions."""
    with transaction() as session:
        written = catalogue_search.reindex(session)
        answers.touch(session)
    return written


def build_bundle(*, new_key: bool = False) -> str:
    """Make the offline bundle of today if the newest one says something else, or sign with a new key; what was done."""
    with transaction() as session:
        built = bundles.replace_key(session, actor=System("operator")) if new_key else bundles.build(session)
    if built is None:
        return "another process is making the bundle"
    return f"bundle {built.number}: {built.items} items, {'made' if built.made else 'still holds'}"


def lint_catalogue() -> list[str]:
    """What the linter objects to in the items in force: item, place, problem and how to mend it."""
    with transaction() as session:
        return [f"{fault.item_id} {fault.path}: {fault}" for fault in linter.all_faults(session, clock.today())]


def verify_audit() -> ChainReport:
    """Recompute the audit chain."""
    with transaction() as session:
        return audit.verify(session)


def add_staff(
    *, username: str, name: str, password: str, roles: Sequence[str], hall_code: str | None, department: str | None
) -> str:
    """Add a member of staff; returns the otpauth address for the authenticator app."""
    with transaction() as session:
        hall_id = places.hall_by_code(session, hall_code).id if hall_code else None
        _member, totp = staff_service.add_member(
            session,
            username=username,
            name=name,
            password=password,
            roles=roles,
            hall_id=hall_id,
            department_id=department,
        )
    return totp


def encrypted_columns() -> list[InstrumentedAttribute[str | None]]:
    """Every column encrypted by field, over all tables."""
    return [
        getattr(mapper.class_, attribute.key)
        for mapper in Base.registry.mappers
        for attribute in mapper.column_attrs
        if isinstance(attribute.columns[0].type, Encrypted)
    ]


def rotate_keys(progress: Callable[[str], None]) -> dict[str, int]:
    """Encrypt again every value that isn't under the active key and algorithm; by batches, safe to stop and repeat."""
    done: dict[str, int] = {}
    for column in encrypted_columns():
        name = f"{column.class_.__tablename__}.{column.key}"
        done[name] = _rotate_column(column, progress)
    return done


def _rotate_column(column: InstrumentedAttribute[str | None], progress: Callable[[str], None]) -> int:
    table = column.class_.__table__
    raw = table.c[column.property.columns[0].name]
    context = raw.type.context
    keys = list(table.primary_key.columns)
    count, last = 0, None
    while True:
        with transaction() as session:
            from sqlalchemy import LargeBinary, tuple_, type_coerce

            token = type_coerce(raw, LargeBinary).label("token")
            query = select(*keys, token).where(raw.is_not(None)).order_by(*keys).limit(_ROTATE_BATCH).with_for_update()
            if last is not None:
                query = query.where(tuple_(*keys) > tuple_(*last))
            rows = session.execute(query).all()
            if not rows:
                return count
            last = tuple(rows[-1][: len(keys)])
            for row in rows:
                old = bytes(row.token)
                if security.cipher().needs_rotation(old):
                    match = [key == value for key, value in zip(keys, row, strict=False)]
                    session.execute(update(table).where(*match).values({raw.name: security.decrypt(old, context)}))
                    count += 1
        progress(f"{table.name}.{raw.name}: {count} values encrypted again")


def set_retention(code: str, days: int) -> None:
    """How long something is kept (P-6). Raises `LookupError` for an unknown code."""
    with transaction() as session:
        retention.set_days(session, actor=System("operator"), code=code, days=days)
