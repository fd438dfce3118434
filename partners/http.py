"""Calls to partners over HTTP: one place for connections, time-outs and what a failure means.

Each thread keeps its own connections open. Nothing is retried here: only the caller knows whether asking twice is safe.
Redirects are not followed, since they would carry secrets to an address nobody configured. What goes into the log is
partner, method, host, status and time taken: never the path, the query, a body or an exception's text.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from core.ports import PartnerUnavailable

CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0

log = logging.getLogger("partners.http")

Params = Mapping[str, str] | Sequence[tuple[str, str]]


class NotReached(PartnerUnavailable):
    """No connection came about: the partner has certainly not seen the request, so asking again can't do it twice."""


class _Local(threading.local):
    """The open connections of one thread."""

    def __init__(self) -> None:
        self.session = requests.Session()
        # Proxies and .netrc of the environment would be settings that core.settings doesn't know of.
        self.session.trust_env = False


_local = _Local()


def request(
    partner: str,
    method: str,
    url: str,
    *,
    params: Params | None = None,
    data: bytes | Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    read_seconds: float = READ_SECONDS,
) -> requests.Response:
    """Ask `partner` once and hand back its answer, whatever it says, for statuses 200-299 and 400-499 but 429.

    `data`: bytes go as they are, a mapping as a form. Waits 2 s for the connection and `read_seconds` between bytes.
    Raises `NotReached` when the request can't have arrived, else `PartnerUnavailable` for no answer, a redirect, 429
    and 5xx: whether the request took effect is then unknown.
    """
    started = time.monotonic()
    status: int | str = "-"
    try:
        answer = _local.session.request(
            method,
            url,
            params=params,
            data=data,
            headers=dict(headers or {}),
            timeout=(CONNECT_SECONDS, read_seconds),
            allow_redirects=False,
        )
        status = answer.status_code
    except requests.RequestException as fault:
        status = type(fault).__name__
        kind = NotReached if _before_sending(fault) else PartnerUnavailable
        # The fault's text holds the whole address, and so may hold a secret.
        raise kind(partner) from None
    finally:
        facts: dict[str, Any] = {
            "partner": partner,
            "method": method.upper(),
            "host": urlsplit(url).netloc,
            "status": status,
            "ms": round((time.monotonic() - started) * 1000),
        }
        log.info("partner call", extra=facts)
    if 300 <= answer.status_code < 400 or answer.status_code == 429 or answer.status_code >= 500:
        raise PartnerUnavailable(partner)
    return answer


def _before_sending(fault: requests.RequestException) -> bool:
    """Whether the fault came before the first byte of the request could leave."""
    if isinstance(fault, requests.ConnectTimeout):
        return True
    cause = fault.args[0] if fault.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
