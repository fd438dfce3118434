"""The calendar's command line: `python -m gateway import-calendar …` and `import-calendar-file …`.

The product is loaded when a command runs, not when the command line starts: it starts seconds sooner without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from core.calendar import Change
    from core.settings import Settings
    from core.workdays import Day

_REPLACE = click.option("--replace", is_flag=True, help="Also days that are published otherwise.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Show what would change, change nothing.")


@click.command("import-calendar")
@click.argument("first", type=click.IntRange(2000, 2100))
@click.argument("last", type=click.IntRange(2000, 2100))
@_REPLACE
@_DRY_RUN
@click.pass_context
def import_calendar(context: click.Context, first: int, last: int, replace: bool, dry_run: bool) -> None:
    """Publish the calendar of the years FIRST to LAST from the chinesecalendar package, what differs of it."""
    from core import calendar

    if first > last:
        raise click.UsageError("FIRST is after LAST")
    try:
        days = calendar.package_days(range(first, last + 1))
    except ValueError as unknown:
        raise click.ClickException(
            f"{unknown}: it is not guessed. Update the package, or publish the State Council's notice from a file:"
            " python -m gateway import-calendar-file (docs/how-to/publish-a-calendar.md)"
        ) from None
    _publish(context.obj, lambda: days, calendar.package(), replace=replace, dry_run=dry_run)


@click.command("import-calendar-file")
@click.option("--source", required=True, help="The notice that the days rest on.")
@click.option(
    "--year", type=click.IntRange(2000, 2100), help="FILE says what is special in this year, the rest is plain."
)
@_REPLACE
@_DRY_RUN
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def import_calendar_file(
    context: click.Context, file: Path, source: str, year: int | None, replace: bool, dry_run: bool
) -> None:
    """Publish the days of FILE (CSV or JSON: day, is_workday, name), all of them or nothing.

    This is the operators' way, at once. Managers send files at the desk, where a second person approves.
    """
    if not source.strip():
        raise click.UsageError("--source names the notice")
    _publish(context.obj, lambda: _read(file, year), source.strip(), replace=replace, dry_run=dry_run)


def _read(file: Path, year: int | None) -> list[Day]:
    from casework.calendars import service
    from core.db import transaction

    with file.open("rb") as stream, transaction() as session:
        days, faults = service.read_file(session, stream=stream, year=year)
    for fault in faults:
        click.echo(f"  {fault}", err=True)
    if faults:
        raise click.ClickException(f"{len(faults)} faults; nothing was changed")
    return days


def _publish(
    settings: Callable[[], Settings], days: Callable[[], Iterable[Day]], source: str, *, replace: bool, dry_run: bool
) -> None:
    from casework.calendars import service
    from core.actors import System
    from core.db import transaction
    from gateway import operations

    operations.connect(settings())
    wanted = days()
    with transaction() as session:
        done = service.publish(
            session, actor=System("operator"), days=wanted, source=source, replace=replace, dry_run=dry_run
        )
    shown = done.changes if dry_run else done.conflicts
    for change in shown:
        click.echo(f"  {_line(change)}")
    if dry_run:
        click.echo(f"{len(done.changes)} days would change, {len(done.conflicts)} of them published otherwise")
    elif done.version is not None:
        click.echo(f"{len(done.changes)} days published as version {done.version}")
    elif done.conflicts:
        raise click.ClickException(
            f"{len(done.conflicts)} days are published otherwise; nothing was changed. --replace replaces them"
        )
    else:
        click.echo("unchanged")


def _line(change: Change) -> str:
    was = "not published" if change.was is None else _told(change.was)
    return f"{change.becomes.day:%Y-%m-%d %a}: {was} -> {_told(change.becomes)}"


def _told(day: Day) -> str:
    return ("working day" if day.is_workday else "rest day") + (f" ({day.name})" if day.name else "")
