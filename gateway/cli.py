"""The command line: `python -m gateway …`."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import click

from core.settings import Settings, SettingsError, load
from gateway.calendar_commands import import_calendar, import_calendar_file
from gateway.catalogue_commands import export_catalogue, import_catalogue, import_points
from gateway.oidc.commands import oidc_client, rotate_oidc_keys


def _settings() -> Settings:
    from gateway import logs

    try:
        settings = load()
    except SettingsError as fault:
        raise click.ClickException(
            f"{fault}\nSee docs/reference/settings.md; `make run` makes a complete set for development."
        ) from None
    logs.configure(settings.log_level)
    return settings


@click.group()
@click.pass_context
def main(context: click.Context) -> None:
    """Run and look after the Ningbo Government backend."""
    context.obj = _settings


main.add_command(import_calendar)
main.add_command(import_calendar_file)
main.add_command(import_catalogue)
main.add_command(export_catalogue)
main.add_command(import_points)
main.add_command(oidc_client)
main.add_command(rotate_oidc_keys)


@main.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    from gateway.database import migrate as run

    run(_settings().database_url)
    click.echo("the database is up to date")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--threads", default=4, show_default=True)
def web(host: str, port: int, workers: int, threads: int) -> None:
    """Serve HTTP."""
    from gateway.web import serve

    _settings()  # tells every fault now, once, instead of in each worker
    from gateway.app import preload

    preload()
    serve(host=host, port=port, workers=workers, threads=threads)


@main.command()
def worker() -> None:
    """Run queued jobs."""
    from gateway.worker import run

    run(_settings())


@main.command("generate-city")
@click.option("--items", default=20_000, show_default=True, type=click.IntRange(1))
@click.option("--points", default=3_121, show_default=True, type=click.IntRange(0))
@click.option("--seed", default=1, show_default=True)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
def generate_city(items: int, points: int, seed: int, out: Path) -> None:
    """Write import files of a made-up city into the folder OUT, to try the product at scale."""
    from casework.catalogue.generator.service import write_city
    from core import clock

    try:
        for file in write_city(out, items=items, points=points, seed=seed, day=clock.today()):
            click.echo(file)
    except ValueError as fault:
        raise click.ClickException(str(fault)) from None


@main.command("reindex-catalogue")
def reindex_catalogue() -> None:
    """Write anew what the search of the catalogue reads; needed once after migration 0017 on a filled catalogue."""
    from gateway import operations

    operations.connect(_settings())
    click.echo(f"{operations.reindex_catalogue()} versions")


@main.command("build-bundle")
@click.option("--new-key", is_flag=True, help="Sign with a new key from now on; the old one is published no more.")
def build_bundle(new_key: bool) -> None:
    """Make the offline bundle of the guide now, if anything changed; the worker looks every minute."""
    from gateway import operations

    operations.connect(_settings())
    click.echo(operations.build_bundle(new_key=new_key))


@main.command("set-retention")
@click.argument("code")
@click.argument("days", type=click.IntRange(min=1))
def set_retention(code: str, days: int) -> None:
    """Keep what CODE names for DAYS after it is over (P-6); docs/how-to/keep-and-forget.md lists the codes."""
    from gateway import operations

    operations.connect(_settings())
    try:
        operations.set_retention(code, days)
    except LookupError as fault:
        raise click.ClickException(str(fault)) from None
    click.echo(f"{code}: {days} days")


@main.command("lint-catalogue")
def lint_catalogue() -> None:
    """Prove that the situations of all items in force are sound; exit code 1 and the faults if not."""
    from gateway import operations

    operations.connect(_settings())
    faults = operations.lint_catalogue()
    for fault in faults:
        click.echo(fault, err=True)
    if faults:
        raise click.ClickException(f"{len(faults)} faults")
    click.echo("the catalogue is sound")


@main.command("demo")
def make_demo_staff() -> None:
    """Make the demo staff (development only) and print who they are."""
    from gateway import demo, operations

    settings = _settings()
    if settings.environment == "production":
        raise click.ClickException("demo people are not made when ENV=production")
    operations.connect(settings)
    click.echo(json.dumps(demo.make_staff(), ensure_ascii=False, indent=2))


@main.command("add-staff")
@click.option("--username", required=True)
@click.option("--name", required=True)
@click.option("--role", "roles", multiple=True, required=True)
@click.option("--hall", help="The hall's code.")
@click.option("--department", help="The department's id, such as D11.")
@click.password_option(help="Asked for when not given.")
def add_staff(
    username: str, name: str, roles: tuple[str, ...], hall: str | None, department: str | None, password: str
) -> None:
    """Add a member of staff; prints the address for the authenticator app once."""
    from gateway import operations

    operations.connect(_settings())
    click.echo(
        operations.add_staff(
            username=username, name=name, password=password, roles=roles, hall_code=hall, department=department
        )
    )


@main.command("verify-audit")
def verify_audit() -> None:
    """Recompute the audit log's hash chain; exit code 1 if it is broken."""
    from gateway import operations

    operations.connect(_settings())
    report = operations.verify_audit()
    click.echo(f"{report.checked} rows verified, {report.unsealed} not sealed yet")
    if report.broken_at is not None:
        click.echo(f"the chain is broken at row {report.broken_at}", err=True)
        sys.exit(1)


@main.command("rotate-keys")
def rotate_keys() -> None:
    """Encrypt every field again that isn't under FIELD_KEY_ACTIVE and FIELD_CIPHER."""
    from gateway import operations

    operations.connect(_settings())
    for table, count in operations.rotate_keys(click.echo).items():
        click.echo(f"{table}: {count} values")


@main.command()
def routes() -> None:
    """List every route with who may call it."""
    from core.web.access import declared
    from gateway.app import create_app

    app = create_app(_settings())
    logging.disable()
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        access = declared(app.view_functions[rule.endpoint])
        if access is None:
            raise click.ClickException(f"{rule.rule} doesn't declare who may call it")
        who = f"citizen level {access.level}" if access.kind == "citizen" else access.kind
        roles = ", ".join(sorted(access.roles))
        methods = ",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        click.echo(f"{methods:7} {rule.rule:70} {who} {roles}".rstrip())


@main.command()
@click.option("--check", is_flag=True, help="Only say whether the committed files are up to date.")
def reference(check: bool) -> None:
    """Write docs/reference/openapi.json, errors.md and settings.md from the code."""
    from gateway import reference as generated

    stale = generated.write(_settings(), only_check=check)
    if check and stale:
        raise click.ClickException("out of date, run `make reference`: " + ", ".join(stale))
    click.echo("up to date" if not stale else "written: " + ", ".join(stale))


@main.command()
def serve() -> None:
    """Start everything on this machine (what `make run` does)."""
    from gateway.serve import main as start

    sys.exit(start())
