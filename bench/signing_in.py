"""What signing in is measured with: one-time codes on their way to phones, refresh tokens, and the requests that show them.

Every request comes from an address of its own (the stack trusts one proxy), so that no limit per address speaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count

import orjson
from sqlalchemy import insert, text

from auth.factors import service
from auth.factors.ports import CodeSender
from auth.factors.rules import SIGN_IN
from auth.sessions import rules
from auth.sessions.models import RefreshToken
from bench import data, load
from core import clock, ids, ports
from core.db import transaction

_WAITING = text("SELECT args->>'delivery_id' FROM procrastinate_jobs WHERE task_name = :task AND status = 'todo'")
_addresses = count(1)


class _Phones:
    """Where the codes arrive."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}

    def send_code(self, phone: str, code: str, minutes: int, purpose: str) -> None:  # noqa: ARG002
        """Note the code."""
        self.codes[phone] = code


def send_codes(numbers: Iterable[int]) -> dict[str, str]:
    """Send a code to the phone of each of these citizens; phone → code. Good for five minutes."""
    phones = _Phones()
    ports.provide(CodeSender, phones)
    with transaction() as session:
        for number in numbers:
            service.send_code(session, phone=data.phone(number), use=SIGN_IN)
        waiting = list(session.scalars(_WAITING, {"task": service.SEND}))
    for delivery_id in waiting:
        service.deliver_code(delivery_id)
    return phones.codes


def give_refresh_tokens(numbers: Sequence[int]) -> list[str]:
    """A refresh token for the session of each of these citizens."""
    secrets = [ids.random_token(256) for _ in numbers]
    now = clock.wall()
    rows = [
        {"session_id": data.citizen(number).session_id, "token_hash": rules.token_digest(secret), "created_at": now}
        for number, secret in zip(numbers, secrets, strict=True)
    ]
    with transaction() as session:
        session.execute(insert(RefreshToken), rows)
    return secrets


def token_checks(tokens: Iterable[str]) -> Iterator[bytes]:
    """Requests to the yardstick behind a token check."""
    return (load.get("/signed-in", Authorization=f"Bearer {token}") for token in tokens)


def refreshes(secrets: Iterable[str]) -> Iterator[bytes]:
    """Requests for a fresh pair of tokens, each with the next refresh token."""
    return (_post("/api/v1/login/refresh", {"refresh_token": secret}) for secret in secrets)


def sign_ins(codes: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    """Requests to sign in, each with the next phone and its code."""
    for phone, code in codes:
        yield _post("/api/v1/login/code/verify", {"phone": phone, "code": code, "channel": "APP"})


def _post(path: str, body: dict[str, str]) -> bytes:
    number = next(_addresses)
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return load.post(path, orjson.dumps(body), X_Forwarded_For=address)
