"""The reference lists over HTTP."""

import pytest
from flask.testing import FlaskClient
from marshmallow import Schema

from miniprogram_api import lookups


@pytest.mark.parametrize(
    ("path", "schema", "rows"),
    [
        ("zones", lookups.ZoneListOut, 8),
        ("departments", lookups.DepartmentListOut, 42),
        ("regions", lookups.RegionListOut, 10),
        ("dev-zones", lookups.DevZoneListOut, 8),
        ("topics", lookups.TopicListOut, 28),
        ("packages", lookups.PackageListOut, 4),
        ("tiles", lookups.TileListOut, 46),
    ],
)
def test_lists_are_whole_and_fit_the_contract(client: FlaskClient, path: str, schema: type[Schema], rows: int) -> None:
    response = client.get(f"/api/v1/catalogue/{path}")
    assert response.status_code == 200
    assert schema().validate(response.get_json()) == {}
    assert len(response.get_json()["items"]) == rows
    assert response.headers["ETag"]


def test_zones_are_those_of_the_city_hall_in_their_order(client: FlaskClient) -> None:
    zones = client.get("/api/v1/catalogue/zones").get_json()["items"]
    assert [zone["name"] for zone in zones] == [
        "基本建设项目", "商事登记", "商贸服务", "不动产登记", "公安服务", "交通运输", "涉外事务", "社会民生事务",
    ]  # fmt: skip


def test_hot_items_are_counted_by_zone_and_department(client: FlaskClient) -> None:
    """S48: how far "book, apply, have it sent" reaches."""
    zones = client.get("/api/v1/catalogue/zones").get_json()["items"]
    assert [zone["hot"] for zone in zones] == [14, 6, 14, 9, 17, 8, 7, 10]
    departments = client.get("/api/v1/catalogue/departments").get_json()["items"]
    assert sum(one["hot"] for one in departments) == 85
    assert sum(one["items"] for one in departments) == 114
    assert {(one["items"], one["hot"]) for one in departments if one["id"] == "D24"} == {(0, 0)}
