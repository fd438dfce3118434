"""Where a ticket may be taken, and how long it is good. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

# ID-7.
LASTS = timedelta(seconds=60)
# Long enough to recognise one that is shown again; then the row is deleted [D].
KEPT = timedelta(days=1)

PARAMETER = "ticket"
# A kiosk remembers nothing, so nobody is signed in elsewhere from one: the other system wouldn't be wiped.
NEVER_FROM = frozenset({"KIOSK"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_LONGEST = 1_000
_PLAIN = re.compile(r"[!-~]+")
# A way around the list: another spelling of a slash, a dot or a backslash.
_TRICKS = re.compile(r"\\|%2e|%2f|%5c|/\.\.?(/|$)|//", re.IGNORECASE)


def ticket_hash(ticket: str) -> bytes:
    """What is stored of a ticket: it has 256 random bits, so a plain hash can't be searched."""
    return hashlib.sha256(ticket.encode()).digest()


def fault(address: str) -> str | None:
    """What is wrong with an address to go to; None when it is good: https (plain http only to this machine), nothing hidden."""
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "not an address"
    checks = (
        (len(address) <= _LONGEST and bool(_PLAIN.fullmatch(address)) and bool(host), "not an address"),
        (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK), "must be https"),
        (
            parts.username is None and parts.password is None and "#" not in address,
            "must have no user name and no fragment",
        ),
        (not _TRICKS.search(parts.path), "must have a plain path"),
        (
            PARAMETER not in dict(parse_qsl(parts.query, keep_blank_values=True)),
            f"must have no parameter {PARAMETER}",
        ),
    )
    return next((wrong for good, wrong in checks if not good), None)


def allows(listed: Iterable[str], address: str) -> bool:
    """Whether an address is on the list: it is one of it, or below one that ends in a slash (ID-8)."""
    if fault(address) is not None:
        return False
    wanted = urlsplit(address)
    for entry in listed:
        known = urlsplit(entry)
        same_site = (known.scheme, known.netloc.lower()) == (wanted.scheme, wanted.netloc.lower())
        below = known.path.endswith("/") and not known.query and wanted.path.startswith(known.path)
        if same_site and (below or (known.path, known.query) == (wanted.path, wanted.query)):
            return True
    return False


def with_ticket(address: str, ticket: str) -> str:
    """The address with the ticket at the end of its query."""
    parts = urlsplit(address)
    query = "&".join(filter(None, [parts.query, urlencode({PARAMETER: ticket})]))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
