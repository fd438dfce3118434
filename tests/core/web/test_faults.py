"""Schemas object in both languages, whatever they object to."""

import inspect
from typing import Any

import flask_smorest.fields
import marshmallow as ma
import pytest
from flask.testing import FlaskClient

from core.web.faults import flat, in_both


def _messages() -> set[str]:
    """Everything marshmallow's fields and validators can say, filled in."""
    found: set[str] = set()
    for module in (ma.fields, flask_smorest.fields):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            for ancestor in kind.__mro__:
                found |= set(getattr(ancestor, "default_error_messages", {}).values())
    found |= set(ma.Schema._default_error_messages.values())
    named = {
        "input": "x", "obj_type": "date", "choices": "a, b", "labels": "", "min": 1, "max": 5, "equal": 3, "other": 3,
        "length": 3, "awareness": "aware", "keys": "a", "num": 3, "regex": "",
    }  # fmt: skip
    return {message.format(**named) for message in found}


def test_nothing_a_field_says_is_in_english_alone() -> None:
    said = _messages()
    assert "Missing data for required field." in said
    left = {message for message in said if " / " not in in_both(message)}
    assert left == set()


@pytest.mark.parametrize(
    ("validator", "value"),
    [
        (ma.validate.Length(2, 3), "x"),
        (ma.validate.Length(max=2), "xxx"),
        (ma.validate.Length(min=2), "x"),
        (ma.validate.Length(equal=2), "x"),
        (ma.validate.Range(1, 5), 9),
        (ma.validate.Range(min=1), 0),
        (ma.validate.Range(max=1), 2),
        (ma.validate.Range(min=1, min_inclusive=False), 0),
        (ma.validate.Range(max=1, max_inclusive=False), 2),
        (ma.validate.OneOf(["a", "b"]), "c"),
        (ma.validate.Equal(3), 4),
        (ma.validate.Regexp("a"), "b"),
    ],
)
def test_nothing_a_validator_says_is_in_english_alone(validator: Any, value: Any) -> None:
    with pytest.raises(ma.ValidationError) as refused:
        validator(value)
    [(path, [told])] = flat("note", refused.value.messages)
    assert path == "note"
    zh, _, en = told.partition(" / ")
    assert zh != en
    assert any("\u4e00" <= char <= "\u9fff" for char in zh)
    assert en.isascii()


def test_ours_stays_as_it_is() -> None:
    assert in_both("不能早于今天 / not before today") == "不能早于今天 / not before today"


def test_an_answer_says_it_in_both(client: FlaskClient) -> None:
    refused = client.post("/staff/v1/login", json={"username": "ab", "colour": 1})
    assert refused.status_code == 422
    told = refused.get_json()["errors"]
    assert told["password"] == ["必填 / Missing data for required field."]
    assert told["colour"] == ["没有此项 / Unknown field."]
    assert told["username"] == ["须为3至64字（项） / Length must be between 3 and 64."]
