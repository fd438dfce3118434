"""The command line of the catalogue's and the points' files: import and export.

The product is loaded when a command runs, not when the command line starts.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from casework.catalogue.importing.faults.rules import Fault

_FORMATS = click.Choice(["json", "excel", "exchange"])


@click.command("import-catalogue")
@click.option("--sample", is_flag=True, help="The sample catalogue and places that come with the product.")
@click.option("--format", "wanted", type=_FORMATS, help="Insist on a format; else it is seen from the file.")
@click.option("--dry-run", is_flag=True, help="Check and try everything, change nothing.")
@click.argument("file", required=False, type=click.Path(exists=True, path_type=Path), metavar="[FILE_OR_FOLDER]")
@click.pass_context
def import_catalogue(
    context: click.Context, sample: bool, wanted: str | None, dry_run: bool, file: Path | None
) -> None:
    """Import service items from our JSON, a workbook, or exchange tables; or the sample with places and calendars.

    What differs is law from today on: this is the operators' way. Item managers send files at the desk.
    """
    from casework.catalogue.importing.reading.service import Format
    from core.errors import Problem
    from gateway import operations

    if sample == (file is not None):
        raise click.UsageError("give a FILE_OR_FOLDER or --sample")
    operations.connect(context.obj())
    try:
        if file is None:
            faults = operations.import_sample(click.echo)
        else:
            faults = operations.import_catalogue(
                file, click.echo, wanted=Format(wanted) if wanted else None, dry_run=dry_run, steps=_show_step
            )
    except Problem as refused:
        raise click.ClickException(f"{refused.zh} / {refused.en}") from None
    _refuse(faults)


def _refuse(faults: Sequence[Fault]) -> None:
    """End with the faults as a table, if there are any."""
    from gateway.faults import fault_table

    if faults:
        for line in fault_table(faults):
            click.echo(line, err=True)
        raise click.ClickException(f"{len(faults)} faults; nothing was changed")


def _show_step(step: str, done: int, total: int) -> None:
    """One line that is written over on a terminal, a line a step elsewhere."""
    if sys.stderr.isatty():
        click.echo(f"\r{step:6} {done:>7,} / {total:,}   ", err=True, nl=done == total)
    elif done in (0, total):
        click.echo(f"{step} {done} / {total}", err=True)


@click.command("export-catalogue")
@click.option("--format", "wanted", type=_FORMATS, help="Else by the ending: .json, .xlsx, .zip or a folder.")
@click.option("--department", help="Only the items of this department, such as D11.")
@click.option("--template", is_flag=True, help="Write the empty workbook that departments fill in.")
@click.argument("target", type=click.Path(path_type=Path))
@click.pass_context
def export_catalogue(
    context: click.Context, wanted: str | None, department: str | None, template: bool, target: Path
) -> None:
    """Write the items in force today to TARGET, as our JSON, a workbook (.xlsx) or exchange tables (.zip or a folder)."""
    from casework.catalogue.exporting import service as exporting
    from casework.catalogue.importing.reading.service import Format
    from gateway import operations

    if template:
        exporting.template(target)
        click.echo(target)
        return
    by_ending = {suffix: name for name, suffix in exporting.SUFFIXES.items()}
    chosen = Format(wanted) if wanted else by_ending.get(target.suffix.lower(), Format.EXCHANGE)
    if chosen is not Format.EXCHANGE and target.is_dir():
        raise click.UsageError(f"{target} is a folder; {chosen} is one file")
    operations.connect(context.obj())
    try:
        operations.export_catalogue(target, chosen, department, click.echo)
    except OSError as fault:
        raise click.ClickException(f"{target} can't be written: {fault.strerror}") from None


@click.command("import-points")
@click.option("--dry-run", is_flag=True, help="Check and try everything, change nothing.")
@click.option("--overwrite-edits", is_flag=True, help="Also overwrite what was edited here since the last import.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def import_points(context: click.Context, file: Path, dry_run: bool, overwrite_edits: bool) -> None:
    """Import service points (GCJ-02) from FILE, our JSON."""
    from gateway import operations

    operations.connect(context.obj())
    _refuse(operations.import_points(file, click.echo, dry_run=dry_run, overwrite=overwrite_edits))
