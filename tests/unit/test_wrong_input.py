from enum import StrEnum
from typing import Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from sbir_gate.wrong_input import broken_rule, did_you_mean, nearest, shortened, shown


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


Many = StrEnum("Many", [f"member-{number}" for number in range(50)])


class Document(BaseModel, strict=True):
    count: int = Field(default=1, ge=1, le=1000)
    name: str = Field(default="a", min_length=1, max_length=5)
    colour: Colour = Colour.RED
    many: Many | None = None
    way: Literal["up", "down"] = "up"
    items: tuple[int, ...] = ()


def faults(text):
    with pytest.raises(ValidationError) as caught:
        Document.model_validate_json(text)
    return caught.value.errors()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('{"count": 0}', "must be at least 1"),
        ('{"count": 1001}', "must be at most 1,000"),
        ('{"count": 1.5}', "must be a whole number"),
        ('{"name": ""}', "must not be empty"),
        ('{"name": "abcdef"}', "must have at most 5 characters"),
        ('{"colour": "rde"}', "must be 'red' or 'blue'"),
        ('{"many": "member"}', "is not one of the known values"),
        ('{"way": "left"}', "must be 'up' or 'down'"),
        ('{"items": 3}', "must be a list"),
    ],
)
def test_a_rule_is_said_in_plain_words(text, rule):
    assert broken_rule(faults(text)[0]) == rule


def test_the_nearest_name_is_suggested():
    assert did_you_mean("mian", ["main", "release"]) == "did you mean main?"
    assert did_you_mean("x", ["main", "release"]) == ""
    assert nearest("a" * 10_000, ["a" * 255]) == "a" * 255
    assert nearest("gone.csv", ["inner.csv"], cutoff=0.8) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "null"), (True, "true"), (("a", 1), "['a', 1]"), ("x\n", r"'x\n'"), (1.0, "1.0")],
)
def test_a_value_is_shown_as_in_yaml(value, text):
    assert shown(value) == text


@pytest.mark.parametrize("value", ["s3://user:secret@bucket/x", ["a", "tcp://:secret@host:8786"]])
def test_a_password_in_an_address_is_never_shown(value):
    assert "//***@" in shown(value)
    assert "secret" not in shown(value)


def test_a_long_text_is_cut():
    assert len(shortened("x" * 500)) == 80
