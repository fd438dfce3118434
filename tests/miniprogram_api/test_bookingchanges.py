"""What a new version changes in one's draft and booking, over HTTP: told in the caller's language, taken over once."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient

from core import clock, db
from miniprogram_api.bookingchanges import BookingChangeOut
from miniprogram_api.prereview import ItemVersionChangeOut
from tests.factories import appointments as bookings
from tests.factories import items
from tests.factories import prereview as make

People = Callable[..., tuple[Any, dict[str, str]]]
UP_TO_DATE: dict[str, Any] = {"code": None, "version_id": None, "effective_from": None, "difference": [], "choices": []}


def test_a_draft_and_a_booking_show_what_changed(client: FlaskClient, own_database: str, citizen: People) -> None:
    zhang, headers = citizen(level=2)
    _, others = citizen(level=2)
    booked = bookings.visit(zhang)
    path = f"{bookings.PATH}/{booked.id}"
    with clock.at(bookings.NOW), db.transaction() as session:
        draft = make.draft(session, zhang)
    with clock.at(bookings.NOW):
        assert client.get(f"{path}/item-change", headers=headers).get_json() == UP_TO_DATE
        with db.transaction() as session:
            made = items.published(session, items.managers(session), "process", hours="7:00-19:00")
        shown = client.get(f"{path}/item-change", headers=headers)
        assert BookingChangeOut().validate(shown.get_json()) == {}
        assert (shown.get_json()["code"], shown.get_json()["choices"]) == ("ITEM_VERSION_CHANGED", ["ADOPT", "KEEP"])
        assert shown.get_json()["difference"][0]["text"].startswith("办理时间由")
        english = client.get(f"{path}/item-change", headers={**headers, "Accept-Language": "en"}).get_json()
        assert english["difference"][0]["text"].startswith("The opening hours changes from")
        assert client.get(f"{path}/item-change", headers=others).status_code == 404
        change = client.get(f"/api/v1/prereviews/{draft.id}", headers=headers).get_json()["version_change"]
        assert (
            ItemVersionChangeOut(exclude=["choices"]).validate(
                {k: v for k, v in change.items() if k not in {"code", "choices"}}
            )
            == {}
        )
        assert change["code"] == "ITEM_VERSION_CHANGED"
        assert [(one["path"], one["after"]) for one in change["difference"]] == [("hours", "7:00-19:00")]
        assert [step["action"] for step in change["choices"]] == ["ADOPT", "KEEP"]
        body = {"version_id": str(made.id)}
        for who, status in ((others, 404), (headers, 200), (headers, 200)):
            answer = client.post(f"{path}/adopt-version", json=body, headers={**who, "Idempotency-Key": str(uuid4())})
            assert answer.status_code == status
        assert client.get(f"{path}/item-change", headers=headers).get_json() == UP_TO_DATE
