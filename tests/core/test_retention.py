"""How long personal data is kept (P-6): the table, the runs, and what each job forgets."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from casework.appointments import jobs as appointments
from casework.appointments.models import Appointment
from casework.files import jobs as files
from casework.files.models import StoredFile
from casework.prereview import jobs as prereviews
from casework.prereview.models import PreReview
from core import cache, clock, retention
from core.actors import System
from core.audit import AuditEntry
from core.db import transaction
from tests.factories import appointments as visits
from tests.factories import auth as make
from tests.factories import prereview

pytestmark = pytest.mark.usefixtures("database")


def trail() -> dict[str, Any]:
    with transaction() as session:
        rows = session.execute(
            select(AuditEntry.object_id, AuditEntry.facts).where(AuditEntry.action == "retention.forget")
        ).all()
    return {row.object_id: row.facts["rows"] for row in rows}


def test_the_defaults_of_the_table() -> None:
    with transaction() as session:
        days = {row.code: row.days for row in session.scalars(select(retention.RetentionRule))}
    assert days == {
        "prereview_drafts": 90,
        "prereview_rejected": 365,
        "unused_uploads": 30,
        "appointments": 730,
        "delivery_addresses": 180,
        "data_exports": 1,
        "staff_sessions": 183,
        "staff_confirmations": 30,
        "identity_attempts": 183,
        "identity_evidence": 1095,
        "identity_reviews": 365,
        "identity_signals": 90,
    }


def test_a_run_goes_on_until_nothing_is_left_and_is_written_down_once() -> None:
    left, seen = [3, 3, 1, 0], []

    def forget(_session: Session, before: Any) -> int:
        seen.append(before)
        return left.pop(0)

    assert retention.run("appointments", forget) == 7
    assert left == []
    assert len(set(seen)) == 1
    assert timedelta(days=729) < clock.now() - seen[0] < timedelta(days=731)
    assert trail() == {"appointments": 7}


def test_a_run_has_a_limit_and_nothing_due_leaves_no_row() -> None:
    assert retention.run("appointments", lambda _session, _before: 1) == retention.MOST_BATCHES
    with transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("DELETE FROM audit_entry"))
    assert retention.run("appointments", lambda _session, _before: 0) == 0
    assert trail() == {}
    with pytest.raises(LookupError):
        retention.run("nonsense", lambda _session, _before: 0)


def test_the_city_sets_the_days(own_database: str) -> None:
    with transaction() as session:
        retention.set_days(session, actor=System("operator"), code="unused_uploads", days=7)
        for code, days, refusal in (("nonsense", 7, LookupError), ("appointments", 0, ValueError)):
            with pytest.raises(refusal):
                retention.set_days(session, actor=System("operator"), code=code, days=days)
        assert retention.cutoff(session, "unused_uploads", clock.now()) > clock.now() - timedelta(days=8)


def test_visits_are_kept_for_two_years(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    with clock.at(visits.NOW):
        old = visits.visit(actor)
    with transaction() as session:
        session.execute(text("UPDATE appointment SET state = 'FINISHED', closed_at = now()"))
    for days, kept in ((729, 1), (731, 0)):
        with clock.at(visits.at(9) + timedelta(days=days)):
            appointments.forget_old()
        with transaction() as session:
            assert session.scalar(select(func.count()).where(Appointment.id == old.id)) == kept
    assert trail() == {"appointments": 1}


def test_live_bookings_are_never_forgotten(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    with clock.at(visits.NOW):
        kept = visits.visit(actor)
    with clock.at(visits.NOW + timedelta(days=900)):
        appointments.forget_old()
    with transaction() as session:
        assert session.get(Appointment, kept.id) is not None


def test_drafts_for_90_days_and_uploads_for_30(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    with transaction() as session:
        draft = prereview.draft(session, actor)
        upload = prereview.upload(session, actor)
    with clock.shift(timedelta(days=29)):
        files.purge_unused()
        prereviews.retain()
    with transaction() as session:
        assert session.get_one(PreReview, draft.id).state == "DRAFT"
        assert session.get(StoredFile, upload.id) is not None
    with clock.shift(timedelta(days=91)):
        files.purge_unused()
        prereviews.retain()
        files.purge_unused()
        prereviews.retain()
    with transaction() as session:
        assert session.get_one(PreReview, draft.id).state == "DISCARDED"
        assert session.get(StoredFile, upload.id) is None
    assert trail() == {"unused_uploads": 1, "prereview_drafts": 1}


def test_one_time_codes_go_by_themselves_within_a_day(client: Any) -> None:
    """P-6: every trace of a code has an end in Redis, far within 24 hours."""
    number = make.phone_number()
    assert client.post("/api/v1/login/code", json={"phone": number}).status_code == 202
    keys = list(cache.client().scan_iter("otp:*"))
    assert keys
    assert all(0 < cache.client().ttl(key) <= 86_400 for key in keys)
