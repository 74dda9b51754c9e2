"""How plain dataclasses are written as JSON and read: no unknown field, and no value that is not a number."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TypeVar

# loaded here, not when the first document is saved: nothing is loaded once an engine has run
import pydantic.dataclasses  # noqa: F401 -- for its effect
from pydantic import ConfigDict, TypeAdapter

T = TypeVar("T")

# pydantic loads what writes sequences only when it meets the first: here, for the same reason
TypeAdapter(Sequence[int])


def adapter(type_: type[T]) -> TypeAdapter[T]:
    """Return what writes and reads a dataclass."""
    return _made_once(type_)  # type: ignore[arg-type]  # mypy doubts that type[T] is hashable


@cache  # thousands of entries of the history are read with one adapter
def _made_once(type_: type[T]) -> TypeAdapter[T]:
    # pydantic looks for its options for a plain dataclass in this attribute
    config = ConfigDict(extra="forbid", allow_inf_nan=False, ser_json_inf_nan="constants")
    setattr(type_, "__pydantic_config__", config)  # noqa: B010 -- mypy knows no such attribute
    return TypeAdapter(type_)
