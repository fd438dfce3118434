"""Rules of trips to a partner's page. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


class TripKind(StrEnum):
    """What a browser is sent away for."""

    ALIPAY_SIGN_IN = "ALIPAY_SIGN_IN"
    ALIPAY_REAL_NAME = "ALIPAY_REAL_NAME"


@dataclass(frozen=True, slots=True)
class Policy:
    """How long a person may take at the partner's page [D]."""

    valid: timedelta = timedelta(minutes=10)


POLICY = Policy()


def allowed_return(raw: str, *, own: str, allowed: Collection[str]) -> str | None:
    """The whole address that a browser may be sent back to, or None (ID-8: no open redirect).

    A path of ours ("/…"), an address of ours (`own`), or one of `allowed`, such as the link that opens our App; of those
    only the query may differ. Nothing that two programs could read in two ways, and no fragment.
    """
    if not raw.isascii() or any(character <= " " or character in "\\\x7f#" for character in raw):
        return None
    if raw.startswith("/"):
        return None if raw.startswith("//") else own + raw
    try:
        parts = urlsplit(raw)
        same = (parts.scheme, parts.netloc) == urlsplit(own)[:2]
    except ValueError:
        return None
    return raw if same or urlunsplit(parts._replace(query="")) in allowed else None


def with_parameters(address: str, parameters: Mapping[str, str]) -> str:
    """`address` with `parameters` in its query, in place of any of the same names."""
    parts = urlsplit(address)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in parameters]
    return urlunsplit(parts._replace(query=urlencode([*kept, *parameters.items()])))
