"""The waivers file: a strict list; every fault is reported with file, line and key."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from sbir_gate.errors import ConfigurationError, Fault
from sbir_gate.files import near_miss, read_file
from sbir_gate.model.waiver import AWARDS, FIXTURE_EDIT, FORMER_NAMES, NEVER_WAIVED, PLACEHOLDERS, Waiver
from sbir_gate.settings.entries import configuration_error
from sbir_gate.settings.layers import MAX_FILE_BYTES, base_layer, configuration_text
from sbir_gate.settings.schema import Section
from sbir_gate.settings.validation import value_fault
from sbir_gate.settings.values import MetricName, fault
from sbir_gate.settings.yaml_text import Item, read_list
from sbir_gate.wrong_input import did_you_mean

LIST_KEY = "waivers"
# the waivers whose limit is a count, and its unit
_COUNTED = {AWARDS: "awards", FIXTURE_EDIT: "rows"}
HINT = "'sbir-gate help policy' shows a waiver with all its keys"


def _waivable(metric: str) -> str:
    if metric in NEVER_WAIVED:
        raise fault("can never be waived: it says that the enricher did not do its work")
    return metric


def _text(value: object) -> object:
    if not isinstance(value, str) or not value.strip():
        raise fault("must be text")
    return " ".join(value.split())


def _day(value: object) -> object:
    try:
        if isinstance(value, str) and len(value) == len("2026-12-31"):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise fault("must be a day that exists, as 2026-12-31")


def _pull_request(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return str(value)
    if isinstance(value, str) and value.startswith("https://") and value.isprintable():
        return value
    raise fault("must be the number of a pull request, or its https:// address")


class WaiverEntry(Section):
    """One item of the list; see `model.waiver.Waiver`."""

    metric: Annotated[MetricName, BeforeValidator(_waivable)]
    limit: Annotated[float, Field(ge=0, le=1_000_000_000)]
    reason: Annotated[str, BeforeValidator(_text), Field(max_length=200)]
    owner: Annotated[str, BeforeValidator(_text), Field(max_length=80)]
    expires: Annotated[date, BeforeValidator(_day)]
    pr: Annotated[str, BeforeValidator(_pull_request), Field(max_length=200)]


def default_waivers_file() -> Path:
    """Return the path that base.yaml gives, which may be missing: no waivers is the strict side."""
    key = "gate.waivers_file"
    return next(Path(str(entry.value)) for entry in base_layer().entries if entry.key == key)


def load_waivers(path: Path, is_required: bool) -> tuple[Waiver, ...]:
    """Return the waivers of a file; none if it is not there and need not be.

    Raises ConfigurationError with one line per fault.
    """
    content = waivers_content(path)
    if content is None:
        if not is_required:
            return ()
        raise ConfigurationError(
            "no such file, but gate.waivers_file names it",
            near_miss(path) or "make the file (an empty one holds no waivers), or take the setting out",
            path=path,
        )
    return read_waivers(content, str(path))


def waivers_content(path: Path) -> bytes | None:
    """Return the bytes of the file, None if it is not there."""
    try:
        return read_file(path, MAX_FILE_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(
            f"cannot be read: {error.strerror}", "check gate.waivers_file and its permissions", path=path
        ) from error


def read_waivers(content: bytes, name: str) -> tuple[Waiver, ...]:
    """Return the waivers in the bytes of a file that `name` names. Raises ConfigurationError."""
    waivers, faults = parse_waivers(content, name)
    if faults:
        raise configuration_error(faults, HINT)
    return waivers


def parse_waivers(content: bytes, name: str) -> tuple[tuple[Waiver, ...], tuple[Fault, ...]]:
    """Return the waivers that are whole, and every fault of the others."""
    text = configuration_text(content, name)
    if isinstance(text, Fault):
        return (), (text,)
    items, yaml_faults = read_list(text, name, LIST_KEY)
    faults = list(yaml_faults)
    first: dict[str, str] = {}
    waivers = []
    for item in items:
        waiver, own_faults = _waiver(item)
        faults += own_faults
        if waiver is None:
            continue
        if waiver.metric in first:
            faults.append(item.fault(f"is waived twice, first in {first[waiver.metric]}", waiver.metric))
        first.setdefault(waiver.metric, item.origin)
        waivers.append(waiver)
    return tuple(waivers), tuple(faults)


def _waiver(item: Item) -> tuple[Waiver | None, list[Fault]]:
    values = {entry.key: entry.value for entry in item.entries}
    unedited = [key for key, text in PLACEHOLDERS.items() if values.get(key) == text]
    if unedited:
        problem = f"the waiver still has the placeholder of its {' and '.join(unedited)}"
        return None, [item.fault(problem, hint="write your own")]
    try:
        entry = WaiverEntry.model_validate(values)
    except ValidationError as error:
        return None, _faults(item, error.errors(include_url=False))
    metric = FORMER_NAMES.get(entry.metric, entry.metric)
    what = _COUNTED.get(metric)
    if what and not entry.limit.is_integer():
        limit = next(found for found in item.entries if found.key == "limit")
        return None, [limit.fault(f"must be a whole number of {what}", value=entry.limit)]
    waiver = Waiver(**entry.model_dump(), origin=item.origin)
    if metric != entry.metric:
        waiver = replace(waiver, metric=metric, former_name=entry.metric)
    return waiver, []


def _faults(item: Item, details: list[ErrorDetails]) -> list[Fault]:
    entries = {entry.key: entry for entry in item.entries}
    lacking = [str(detail["loc"][0]) for detail in details if detail["type"] == "missing"]
    faults = [item.fault(f"the waiver lacks {', '.join(lacking)}")] if lacking else []
    for detail in details:
        key = str(detail["loc"][0])
        if detail["type"] == "extra_forbidden":
            known = tuple(WaiverEntry.model_fields)
            hint = did_you_mean(key, known) or f"a waiver has {', '.join(known)}"
            faults.append(entries[key].fault("unknown key", hint))
        elif detail["type"] != "missing":
            faults.append(value_fault(entries[key], detail))
    return faults
