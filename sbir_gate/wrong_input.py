"""What messages say of wrong input: the rule that a value breaks, and the name that was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MAX_VALUE_CHARACTERS = 80
_MAX_NAME_CHARACTERS = 255
_MAX_ALLOWED_CHARACTERS = 120
_PASSWORD = re.compile(r"//[^/@\s]*:[^/@\s]*@")

# pydantic's types of fault, as a person says them; the fields are those of its context
_RULES: Mapping[str, str] = {
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must not be empty",
    "string_type": "must be text (put a number in quotes)",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "datetime_type": "must be a date and time",
    "datetime_parsing": "must be a date and time",
    "datetime_from_date_parsing": "must be a date and time",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must hold keys",
    "mapping_type": "must hold keys",
    "model_type": "must hold keys",
    "model_attributes_type": "must hold keys",
    "missing": "is missing",
    "extra_forbidden": "is not a known key",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "did you mean X?" for the known name that is spelled most like `name`, else nothing."""
    near = nearest(name, known)
    return f"did you mean {near}?" if near else ""


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return the known name that is spelled most like `name`; nothing if the similarity is below `cutoff`."""
    near = difflib.get_close_matches(name[:_MAX_NAME_CHARACTERS], list(known), n=1, cutoff=cutoff)
    return near[0] if near else ""


def shown(value: object) -> str:
    """Return a value as it is written in YAML, on one short line, without a password in an address."""
    if isinstance(value, tuple):
        value = list(value)
    if value is None:
        return "null"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return shortened(_PASSWORD.sub("//***@", text))


def shortened(text: str) -> str:
    """Return a text, cut where it is long."""
    return text if len(text) <= MAX_VALUE_CHARACTERS else text[: MAX_VALUE_CHARACTERS - 3] + "..."


def broken_rule(fault: ErrorDetails) -> str:
    """Return what is required instead of the value at fault, as in "must be at least 1"."""
    context = fault.get("ctx", {})
    rule = _RULES.get(fault["type"])
    if rule is None:
        return fault["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if len(str(context.get("expected", ""))) > _MAX_ALLOWED_CHARACTERS:
        return "is not one of the known values"
    return rule.format_map({name: _number_text(value) for name, value in context.items()})


def _number_text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{value:,}" if isinstance(value, int) else str(value)
