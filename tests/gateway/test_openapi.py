"""What every route shares is added to the contract in one place."""

from flask import Flask
from flask.testing import FlaskClient

from gateway import openapi


def test_the_contract_is_served_and_complete(client: FlaskClient, app: Flask) -> None:
    spec = client.get("/openapi.json").get_json()
    assert spec["openapi"] == "3.1.0"
    operations = {
        f"{method} {path}": found
        for path, methods in spec["paths"].items()
        for method, found in methods.items()
        if method != "parameters"
    }
    assert len(operations) > 100
    for label, operation in operations.items():
        assert "default" in operation["responses"], label
        assert operation["operationId"], label
    book = operations["post /api/v1/appointments"]
    assert {"$ref": "#/components/parameters/IdempotencyKey"} in book["parameters"]
    assert book["security"] == [{"citizen": []}]
    assert book["x-access"] == "citizen, level 2"


def test_operation_ids_are_unique(app: Flask) -> None:
    ids = [
        operation["operationId"]
        for methods in openapi.document(app)["paths"].values()
        for method, operation in methods.items()
        if method != "parameters"
    ]
    assert len(ids) == len(set(ids))


def test_pages_for_people(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert b"/api/v1/appointments" in page.data
    assert b"<script" not in page.data
    errors = client.get("/docs/errors")
    assert "SLOT_FULL" in errors.get_data(as_text=True)
    assert client.get("/").headers["Location"] == "/docs"
    assert client.get("/docs/docs.css").content_type.startswith("text/css")
    etag = page.headers["ETag"]
    assert client.get("/docs", headers={"If-None-Match": etag}).status_code == 304
