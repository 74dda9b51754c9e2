"""Validation of the merged values, with each fault as a message and its origin."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sbir_gate.settings.entries import Entry, Fault, shown
from sbir_gate.settings.schema import Settings

# what pydantic says of a value, in the words of a YAML file
_WORDS = (
    ("Input should be a valid tuple", "must be a list"),
    ("Input should be a valid string", "must be text (put a number in quotes)"),
    ("Input should be a valid integer", "must be a whole number"),
    ("Input should be a valid boolean", "must be true or false"),
    ("Input should be a valid number", "must be a number"),
    ("Input should be", "must be"),
    ("String should", "must"),
)

Branch = dict[str, "object | Branch"]


def validated(entries: Mapping[str, Entry], names: Sequence[str]) -> tuple[Settings | None, list[Fault]]:
    """Return the settings, or None with every fault; `names` are the metrics that base.yaml has."""
    try:
        return Settings.model_validate(_nested(entries.values())), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    missing = [detail for detail in details if detail["type"] == "missing"]
    faults = [_value_fault(detail, entries) for detail in details if detail["type"] != "missing"]
    return None, faults + _missing_faults(missing, entries, names)


def _nested(entries: Iterable[Entry]) -> Branch:
    root: Branch = {}
    for entry in entries:
        *sections, name = entry.key.split(".")
        branch = root
        for section in sections:
            branch = branch.setdefault(section, {})  # type: ignore[assignment]  # known keys: never a value here
        branch[name] = entry.value
    return root


def _value_fault(detail: ErrorDetails, entries: Mapping[str, Entry]) -> Fault:
    key = ".".join(str(part) for part in detail["loc"] if part != "[key]")
    entry = _entry_at(key, entries)
    allowed = in_words(detail["msg"])
    sibling = detail.get("ctx", {}).get("sibling")
    if sibling:
        section = key.rpartition(".")[0]
        allowed += f" ({entries[f'{section}.{sibling}'].origin})"
    if entry.key.startswith(key + "."):
        return Fault(entry.origin, key, f"the name {allowed}")
    return Fault(entry.origin, entry.key, f"{shown(detail['input'])} {allowed}")


def _entry_at(key: str, entries: Mapping[str, Entry]) -> Entry:
    """Return the entry that holds the key: itself, the list that it is an item of, or the first one below."""
    parts = key.split(".")
    above = (".".join(parts[:depth]) for depth in range(len(parts), 0, -1))
    held_by = next((prefix for prefix in above if prefix in entries), None)
    return entries[held_by] if held_by else _first_below(key, entries)


def _first_below(section: str, entries: Mapping[str, Entry]) -> Entry:
    return next(entry for key, entry in entries.items() if key.startswith(section + "."))


def in_words(message: str) -> str:
    """Return what pydantic says of a value, in the words of a YAML file."""
    for spoken, written in _WORDS:
        if message.startswith(spoken):
            return written + message[len(spoken) :]
    return message


def _missing_faults(
    details: Sequence[ErrorDetails], entries: Mapping[str, Entry], names: Sequence[str]
) -> list[Fault]:
    """Return one fault per section: a metric that lacks its unit lacks two more keys, for one reason."""
    lacking: dict[str, list[str]] = {}
    for detail in details:
        *section, name = (str(part) for part in detail["loc"])
        lacking.setdefault(".".join(section), []).append(name)
    return [_missing_fault(section, fields, entries, names) for section, fields in lacking.items()]


def _missing_fault(
    section: str, fields: Sequence[str], entries: Mapping[str, Entry], names: Sequence[str]
) -> Fault:
    origin = next(
        (entry.origin for key, entry in entries.items() if key.startswith(section + ".")), "base.yaml"
    )
    parent, _, name = section.rpartition(".")
    near = difflib.get_close_matches(name, names, n=1)
    question = f"; did you mean {parent}.{near[0]}?" if near and parent == "gate.metrics" else ""
    return Fault(origin, section, f"lacks {', '.join(fields)}{question}")
