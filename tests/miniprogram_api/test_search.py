"""Searching over HTTP: what a phone sees while typing, when it found nothing, and what is used most."""

from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from marshmallow import Schema

from miniprogram_api.catalogue import ItemPageOut, PopularOut, SuggestionListOut

CATALOGUE = "/api/v1/catalogue"


def get(client: FlaskClient, path: str, schema: type[Schema]) -> dict[str, Any]:
    response = client.get(f"{CATALOGUE}/{path}")
    assert response.status_code == 200, response.get_data(as_text=True)
    body: dict[str, Any] = response.get_json()
    assert schema().validate(body) == {}
    return body


def test_an_item_is_found_by_the_peoples_words_with_a_filter(client: FlaskClient) -> None:
    page = get(client, f"items?q={quote('身份证掉了')}&zone=Z5&bookable=true&online_depth=III", ItemPageOut)
    assert [item["item_id"] for item in page["items"]] == ["NB-059"]
    page = get(client, f"items?q={quote('宝宝')}&topic=NEWBORN", ItemPageOut)
    assert page["items"]


def test_an_empty_answer_explains_itself(client: FlaskClient) -> None:
    nothing = get(client, f"items?q={quote('公交卡充值')}", ItemPageOut)["nothing_found"]
    assert nothing["hotline"] == "12345"
    assert nothing["not_understood"]
    assert any(word.startswith("公交") for word in nothing["try_instead"])
    nothing = get(client, f"items?q={quote('护照')}&zone=Z1", ItemPageOut)["nothing_found"]
    assert nothing["without_filters"] == 2


def test_suggestions_while_typing(client: FlaskClient) -> None:
    for typed in ("身份", "shenf", "sfz", "SFZ"):
        found = get(client, f"suggestions?q={quote(typed)}", SuggestionListOut)["items"]
        assert 0 < len(found) <= 8
        assert any(suggestion["item_id"] == "NB-057" for suggestion in found), typed
    assert get(client, f"suggestions?q={quote('，')}", SuggestionListOut)["items"] == []


def test_the_most_used_items(client: FlaskClient) -> None:
    page = get(client, "popular", PopularOut)
    assert len(page["items"]) == 20
    assert page["notice"]


@pytest.mark.parametrize(
    "path", ["suggestions", "suggestions?q=", f"suggestions?q={'x' * 201}", "items?topic=a%20b", "items?online_depth=V"]
)
def test_senseless_parameters_are_refused(client: FlaskClient, path: str) -> None:
    assert client.get(f"{CATALOGUE}/{path}").status_code == 422
