"""The table of templates, read once from `catalogue.json` and checked."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Any

from notifications.templates.rules import (
    ALL_FIELDS,
    Policy,
    Registration,
    ShortMessage,
    Subscription,
    Template,
    Wording,
    fields_used,
)

_FILE = Path(__file__).with_name("catalogue.json")
_FIELD = re.compile(r"\{(\w+)\}")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def template(code: str) -> Template:
    """The template `code`. Raises `LookupError` when the table has none: a fault of the caller's."""
    try:
        return all_templates()[code]
    except KeyError:
        raise LookupError(f"no message template {code}") from None


def policy() -> Policy:
    """Quiet hours and the wait before an unread message goes out as SMS."""
    return _load()[1]


def all_templates() -> Mapping[str, Template]:
    """Every template by its code."""
    return _load()[0]


def sms_codes() -> dict[str, str]:
    """Our template code → the SMS platform's code, one-time codes included; an account with other codes overrides them."""
    found = {code: entry.registration.code for code, entry in all_templates().items() if entry.registration}
    return {**found, **{code: entry.code for code, entry in _load()[2].items()}}


def sms_fields() -> dict[str, tuple[str, ...]]:
    """Our template code → the fields of its short message, in the order in which they first stand in the text."""
    found = {code: entry.registration.fields for code, entry in all_templates().items() if entry.registration}
    return {**found, **{code: entry.fields for code, entry in _load()[2].items()}}


def sms_registrations() -> dict[str, str]:
    """The SMS platform's code → the text to register there, with its `${variable}`s."""
    found = [entry.registration for entry in all_templates().values() if entry.registration]
    return {entry.code: _FIELD.sub(r"${\1}", entry.text) for entry in (*found, *_load()[2].values())}


def sms_registrations_numbered() -> dict[str, str]:
    """The same for a platform that knows a template by its number alone, and variables by their place: {1}, {2} and so on."""
    found = {}
    for code, text in sms_registrations().items():
        places = {name: str(place) for place, name in enumerate(dict.fromkeys(_VARIABLE.findall(text)), 1)}
        found[code.removeprefix("SMS_")] = _VARIABLE.sub(lambda match, at=places: f"{{{at[match[1]]}}}", text)  # type: ignore[misc]
    return found


@functools.cache
def _load() -> tuple[dict[str, Template], Policy, dict[str, Registration]]:
    data = json.loads(_FILE.read_text(encoding="utf-8"))
    quiet = data["quiet_hours"]
    policy = Policy(
        quiet_from=time.fromisoformat(quiet["from"]),
        quiet_until=time.fromisoformat(quiet["until"]),
        fallback_minutes=int(data["fallback_after_minutes"]),
        page=data["page"],
    )
    templates = {code: _template(code, entry) for code, entry in data["templates"].items()}
    unknown = {code for entry in templates.values() for code in entry.superseded_by} - set(templates)
    if unknown:
        raise ValueError(f"superseded by templates that do not exist: {sorted(unknown)}")
    codes = {name: Registration(entry["code"], entry["text"]) for name, entry in data["one_time_codes"].items()}
    return templates, policy, codes


def _template(code: str, entry: Mapping[str, Any]) -> Template:
    sms, wechat = entry.get("sms"), entry.get("wechat")
    found = Template(
        code=code,
        important=bool(entry["important"]),
        at_night=bool(entry.get("at_night", False)),
        superseded_by=frozenset(entry.get("superseded_by", ())),
        zh=Wording(entry["zh"]["title"], entry["zh"]["text"]),
        en=Wording(entry["en"]["title"], entry["en"]["text"]),
        short_message=ShortMessage(sms["send"]) if sms else ShortMessage.NEVER,
        registration=Registration(sms["code"], sms["text"]) if sms else None,
        subscription=Subscription(wechat["group"], dict(wechat["values"])) if wechat else None,
    )
    texts = [found.zh.title, found.zh.text, found.en.title, found.en.text]
    texts += [found.registration.text] if found.registration else []
    texts += found.subscription.values.values() if found.subscription else []
    unknown = set[str]().union(*map(fields_used, texts)) - ALL_FIELDS
    if unknown:
        raise ValueError(f"template {code} names fields that do not exist: {sorted(unknown)}")
    return found
