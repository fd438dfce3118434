"""The business clock can be moved in tests and demonstrations; the true time can't."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from core import clock


def test_at_sets_the_business_clock_and_lets_it_run() -> None:
    moment = datetime(2026, 12, 31, 23, 59, 59, tzinfo=clock.SHANGHAI)
    with clock.at(moment):
        assert timedelta() <= clock.now() - moment < timedelta(seconds=1)
        assert clock.today() == date(2026, 12, 31)
        assert abs(clock.wall() - datetime.now(UTC)) < timedelta(seconds=1)
    assert abs(clock.now() - clock.wall()) < timedelta(seconds=1)


def test_the_day_is_shanghais() -> None:
    with clock.at(datetime(2026, 11, 24, 16, 30, tzinfo=UTC)):
        assert clock.today() == date(2026, 11, 25)
    assert clock.day_start(date(2026, 11, 25)).isoformat() == "2026-11-25T00:00:00+08:00"


def test_a_file_shifts_a_whole_stack(tmp_path: Path) -> None:
    file = tmp_path / "shift"
    file.write_text("3600")
    clock.use_shift_file(file)
    try:
        assert clock.now() - clock.wall() > timedelta(minutes=59)
    finally:
        clock.use_shift_file(None)
        clock._clock._file_shift = timedelta()
