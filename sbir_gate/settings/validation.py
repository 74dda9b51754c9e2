"""Validation of the merged values, with each fault as a message and its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sbir_gate.errors import Fault
from sbir_gate.settings.entries import Entry, nested
from sbir_gate.settings.schema import Settings
from sbir_gate.wrong_input import broken_rule, did_you_mean, nearest


def validated(entries: Mapping[str, Entry], names: Sequence[str]) -> tuple[Settings | None, list[Fault]]:
    """Return the settings, or None with every fault; `names` are the metrics that base.yaml has."""
    try:
        return Settings.model_validate(nested({key: entry.value for key, entry in entries.items()})), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    missing = [detail for detail in details if detail["type"] == "missing"]
    faults = [_value_fault(detail, entries) for detail in details if detail["type"] != "missing"]
    return None, faults + _missing_faults(missing, entries, names)


def _value_fault(detail: ErrorDetails, entries: Mapping[str, Entry]) -> Fault:
    key = ".".join(str(part) for part in detail["loc"] if part != "[key]")
    entry = _entry_at(key, entries)
    if entry.key.startswith(key + "."):
        return replace(entry, key=key).fault(f"the name {broken_rule(detail)}")
    sibling = detail.get("ctx", {}).get("sibling")
    section = key.rpartition(".")[0]
    where = f" in {entries[f'{section}.{sibling}'].origin}" if sibling else ""
    return value_fault(entry, detail, where)


def value_fault(entry: Entry, detail: ErrorDetails, where: str = "") -> Fault:
    """Return the fault of a value that is not allowed; `where` is where the value it contradicts is set."""
    value, context = detail["input"], detail.get("ctx", {})
    meant = context.get("hint") or did_you_mean(str(value), context.get("names", ()))
    problem = broken_rule(detail) + where + (", not null" if value is None else "")
    return entry.fault(problem, meant, value)


def _entry_at(key: str, entries: Mapping[str, Entry]) -> Entry:
    """Return the entry that holds the key: itself, the list that it is an item of, or the first one below."""
    parts = key.split(".")
    above = (".".join(parts[:depth]) for depth in range(len(parts), 0, -1))
    held_by = next((prefix for prefix in above if prefix in entries), None)
    return entries[held_by] if held_by else _first_below(key, entries)


def _first_below(section: str, entries: Mapping[str, Entry]) -> Entry:
    return next(entry for key, entry in entries.items() if key.startswith(section + "."))


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
    below = (entry for key, entry in entries.items() if key.startswith(section + "."))
    first = next(below, Entry(section, None, "base.yaml"))
    parent, _, name = section.rpartition(".")
    near = nearest(name, names) if parent == "gate.metrics" else ""
    meant = f"did you mean {parent}.{near}?" if near else ""
    return replace(first, key=section).fault(f"lacks {', '.join(fields)}", meant)
