"""The provider's command line: `python -m gateway oidc-client …` and `rotate-oidc-keys`.

The product is loaded when a command runs, not when the command line starts: it starts seconds sooner without.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("oidc-client")
def oidc_client() -> None:
    """Departments' sites and apps that sign people in (OpenID Connect)."""


@oidc_client.command()
@click.argument("file", type=_FILE)
def register(file: Path) -> None:
    """Register the client described in FILE (JSON, as the staff API takes it); prints the secret once."""
    wanted = _registration(file)
    made = _run(lambda session: _registry().register(session, actor=_actor(), wanted=wanted))
    click.echo(json.dumps({"client_id": made.client.client_id, "client_secret": made.secret}, indent=2))


@oidc_client.command()
@click.argument("client_id")
@click.argument("file", type=_FILE)
def change(client_id: str, file: Path) -> None:
    """Change what FILE (JSON) names of a client."""
    changes = _read(file)
    _run(lambda session: _registry().change(session, actor=_actor(), client_id=client_id, **changes))
    click.echo(f"{client_id} changed")


@oidc_client.command("new-secret")
@click.argument("client_id")
@click.option("--at-once", is_flag=True, help="The old secret leaked: it ends now instead of in 24 hours.")
def new_secret(client_id: str, at_once: bool) -> None:
    """Give a client a new secret; prints it once."""
    secret = _run(
        lambda session: _registry().rotate_secret(session, actor=_actor(), client_id=client_id, at_once=at_once)
    )
    click.echo(json.dumps({"client_id": client_id, "client_secret": secret}, indent=2))


@oidc_client.command()
@click.argument("client_id")
def disable(client_id: str) -> None:
    """Disable a client; it and its tokens are refused at once."""
    _run(lambda session: _registry().set_active(session, actor=_actor(), client_id=client_id, active=False))
    click.echo(f"{client_id} disabled")


@oidc_client.command()
@click.argument("client_id")
def enable(client_id: str) -> None:
    """Enable a disabled client again."""
    _run(lambda session: _registry().set_active(session, actor=_actor(), client_id=client_id, active=True))
    click.echo(f"{client_id} enabled")


@oidc_client.command("list")
def list_all() -> None:
    """List all clients."""
    for row in _run(lambda session: _queries().everybody(session)):
        state = "active" if row.active else "disabled"
        click.echo(f"{row.client_id:30} {state:9} level {row.max_level}  {' '.join(row.scopes)}")


@click.command("rotate-oidc-keys")
@click.option("--at-once", is_flag=True, help="The signing key leaked: what it signed is refused from now on.")
def rotate_oidc_keys(at_once: bool) -> None:
    """Let the next signing key sign, and publish one to follow it."""
    done = _run(lambda session: _keys().rotate(session, actor=_actor(), at_once=at_once))
    for one in done:
        click.echo(f"{one.algorithm}  signing: {one.active}\n       next:    {one.next}")


def _run(act: Callable[[Any], Any]) -> Any:
    """Do `act` in a transaction; its refusal becomes a message."""
    from core.db import transaction
    from core.errors import Problem
    from gateway.wiring import wire

    wire(click.get_current_context().find_root().obj())
    try:
        with transaction() as session:
            return act(session)
    except Problem as problem:
        faults = "".join(f"\n  {name}: {'; '.join(found)}" for name, found in problem.fields.items())
        raise click.ClickException(problem.sentence("en") + faults) from None


def _actor() -> Any:
    from core.actors import System

    return System("command-line")


def _registry() -> Any:
    from auth.oidc.clients import service

    return service


def _queries() -> Any:
    from auth.oidc.clients import queries

    return queries


def _keys() -> Any:
    from auth.oidc.keys import service

    return service


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        raise click.ClickException(f"{file} is not JSON") from None
    if not isinstance(found, dict):
        raise click.ClickException(f"{file} must hold one object")
    return found


def _registration(file: Path) -> Any:
    from auth.oidc.clients.rules import AuthMethod, ClientType, Registration

    known = _read(file)
    try:
        kinds = {"type": ClientType(str(known.get("type"))), "auth_method": AuthMethod(str(known.get("auth_method")))}
        return Registration(**{**known, **kinds})
    except (TypeError, ValueError) as fault:
        raise click.ClickException(f"{file}: {fault}") from None
