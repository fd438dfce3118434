"""A citizen's own items over HTTP."""

from typing import Any

from flask.testing import FlaskClient

from casework.catalogue import service as catalogue
from casework.catalogue.rules import GoneKind
from core import clock, db
from core.actors import System
from miniprogram_api.favourites import MyItemsOut

MINE = "/api/v1/my-items"


def codes(client: FlaskClient, path: str, headers: dict[str, str]) -> list[str]:
    body = client.get(f"{MINE}/{path}", headers=headers).get_json()
    assert MyItemsOut().validate(body) == {}
    return [item["item_id"] for item in body["items"]]


def test_favourites_are_mine_alone(client: FlaskClient, citizen: Any) -> None:
    (_, me), (_, other) = citizen(), citizen()
    for item_id in ("NB-002", "NB-052"):
        assert client.put(f"{MINE}/favourites/{item_id}", headers=me).status_code == 204
    assert codes(client, "favourites", me) == ["NB-052", "NB-002"]
    assert codes(client, "favourites", other) == []
    assert client.delete(f"{MINE}/favourites/NB-052", headers=me).status_code == 204
    assert codes(client, "favourites", me) == ["NB-002"]
    assert client.put(f"{MINE}/favourites/NB-999", headers=me).status_code == 404
    assert client.get(f"{MINE}/favourites").status_code == 401


def test_what_i_looked_at_is_remembered_until_i_say_forget(client: FlaskClient, citizen: Any) -> None:
    _, me = citizen()
    for item_id in ("NB-002", "NB-052", "NB-002"):
        assert client.put(f"{MINE}/seen/{item_id}", headers=me).status_code == 204
    assert codes(client, "seen", me) == ["NB-002", "NB-052"]
    assert client.delete(f"{MINE}/seen", headers=me).status_code == 204
    assert codes(client, "seen", me) == []


def test_what_can_t_be_a_code_is_not_found(client: FlaskClient, citizen: Any) -> None:
    _, me = citizen()
    for nonsense in ("%01", "NB-002%01", "%E4%B8%80", "x" * 500):
        assert client.put(f"{MINE}/favourites/{nonsense}", headers=me).status_code == 404
        assert client.put(f"{MINE}/seen/{nonsense}", headers=me).status_code == 404
        assert client.delete(f"{MINE}/favourites/{nonsense}", headers=me).status_code == 204
    assert codes(client, "favourites", me) == codes(client, "seen", me) == []


def test_a_favourite_that_ended_says_so_and_leads_on(client: FlaskClient, own_database: str, citizen: Any) -> None:
    """Nothing is kept that isn't shown: what ended can be taken off, and doesn't fill the list unseen."""
    _, me = citizen()
    for item_id in ("NB-055", "NB-002", "nb-054", "NB-053"):
        assert client.put(f"{MINE}/favourites/{item_id}", headers=me).status_code == 204
    today = clock.today()
    with db.transaction() as session:
        for item_id, kind, to in (("NB-055", GoneKind.RENAMED, ["NB-054"]), ("NB-053", GoneKind.ENDED, [])):
            catalogue.retire(
                session, actor=System("test"), item_id=item_id, ends=today, kind=kind, successors=to, reason="调整"
            )
    body = client.get(f"{MINE}/favourites", headers=me).get_json()
    assert MyItemsOut().validate(body) == {}
    assert [item["item_id"] for item in body["items"]] == ["NB-054", "NB-002"]
    ended, renamed = body["gone"]
    assert (ended["item_id"], ended["text"], ended["went_to"]) == ("NB-053", "该事项已取消", [])
    assert (renamed["item_id"], renamed["text"]) == ("NB-055", "该事项已更名")
    assert renamed["name"]
    assert [one["item_id"] for one in renamed["went_to"]] == ["NB-054"]
    assert client.delete(f"{MINE}/favourites/nb-055", headers=me).status_code == 204
    left = client.get(f"{MINE}/favourites", headers=me | {"Accept-Language": "en"}).get_json()["gone"]
    assert [(one["item_id"], one["text"]) for one in left] == [("NB-053", "This item has ended")]


def test_my_items_are_a_fixed_number_of_queries(client: FlaskClient, citizen: Any, count_queries: Any) -> None:
    _, me = citizen()
    client.put(f"{MINE}/favourites/NB-002", headers=me)
    with count_queries() as one:
        codes(client, "favourites", me)
    for number in range(10, 30):
        client.put(f"{MINE}/favourites/NB-0{number}", headers=me)
    with count_queries() as many:
        assert len(codes(client, "favourites", me)) == 21
    assert len(many) <= len(one)
