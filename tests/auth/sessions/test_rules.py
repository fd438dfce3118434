"""Lifetimes, and what a refresh token is good for (ID-9)."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.sessions.rules import (
    LIFETIMES,
    REPEAT_WITHIN,
    Verdict,
    access_end,
    judge_refresh,
    session_end,
    token_digest,
)
from core.actors import Channel

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("channel", "lives", "sliding"),
    [
        ("APP", timedelta(days=30), True),
        ("WXMP", timedelta(days=7), False),
        ("H5", timedelta(days=1), False),
        ("KIOSK", timedelta(minutes=2), True),
    ],
)
def test_lifetimes_by_channel(channel: Channel, lives: timedelta, sliding: bool) -> None:
    assert session_end(channel, NOW) == NOW + lives
    assert LIFETIMES[channel].sliding is sliding


def test_an_access_token_lives_15_minutes_and_never_longer_than_its_session() -> None:
    assert access_end("APP", NOW, session_end("APP", NOW)) == NOW + timedelta(minutes=15)
    assert access_end("KIOSK", NOW, session_end("KIOSK", NOW)) == NOW + timedelta(minutes=2)
    assert access_end("H5", NOW, NOW + timedelta(seconds=3)) == NOW + timedelta(seconds=3)


@pytest.mark.parametrize(
    ("used_at", "successor_unused", "verdict"),
    [
        (None, False, Verdict.ROTATE),
        (NOW, True, Verdict.REPEAT),
        (NOW - REPEAT_WITHIN, True, Verdict.REPEAT),
        (NOW - REPEAT_WITHIN - MOMENT, True, Verdict.REUSED),
        (NOW - MOMENT, False, Verdict.REUSED),
        (NOW - timedelta(days=3), False, Verdict.REUSED),
    ],
)
def test_what_a_refresh_token_is_good_for(used_at: datetime | None, successor_unused: bool, verdict: Verdict) -> None:
    assert judge_refresh(used_at=used_at, successor_unused=successor_unused, now=NOW) is verdict


def test_the_stored_digest_is_not_the_token() -> None:
    assert len(token_digest("a")) == 32
    assert token_digest("a") != token_digest("b")
