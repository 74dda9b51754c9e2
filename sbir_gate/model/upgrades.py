"""How documents of older formats are read: one pure step from each format to the next.

A step takes what the JSON holds and returns it as the next format has it. What is damaged it leaves alone:
the codec says what is wrong. A field that has a default needs no step (CONTRIBUTING.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from sbir_gate.model.finding import Rule, Severity, place_of

Content = Mapping[str, object]

_UNSOUND = "must be sound"
_NOT_JUDGED = "not judged"


def upgraded(kind: str, content: object, version: int) -> object:
    """Return the content of a document of an older format as the newest one has it."""
    if not isinstance(content, Mapping):
        return content
    for format_version, steps in _STEPS.items():
        if format_version >= version and kind in steps:
            content = steps[kind](content)
    return content


def _verdict_of_3(content: Content) -> Content:
    """A verdict had sentences: reasons and notes beside the changes, and a reason in each."""
    old = {"reasons", "notes", "reason_origins", "drift"}
    return {
        **{name: value for name, value in content.items() if name not in old},
        "findings": [*_reasons(content), *(_recorded(note, "info") for note in _listed(content, "notes"))],
        "changes": [_change_of_3(change) for change in _listed(content, "changes")],
        "own_fixture_changes": [_change_of_3(each) for each in _listed(content, "own_fixture_changes")],
        "records": _without(content.get("records"), "reason"),
    }


def _reasons(content: Content) -> Iterator[Content]:
    """Yield a finding for each reason, with the metric and severity of the change that it is of."""
    known = {
        part.get("reason"): part
        for part in (
            content.get("records"),
            *_listed(content, "drift"),
            *_listed(content, "own_fixture_changes"),
            *_listed(content, "changes"),
        )
        if isinstance(part, Mapping)
    }
    others = {"warn": Severity.WARN, "inconclusive": Severity.INCONCLUSIVE, "pass": Severity.INFO}
    usual = others.get(str(content.get("outcome")), Severity.FAIL)
    origins = _listed(content, "reason_origins")
    for number, reason in enumerate(_listed(content, "reasons")):
        part = known.get(reason, {}) if isinstance(reason, str) else {}
        place = place_of(str(origins[number])) if number < len(origins) else None
        yield {
            **_recorded(reason, part.get("severity", usual)),
            "metric": part.get("metric", ""),
            "place": None if place is None else {"path": place.path, "line": place.line},
        }


def _change_of_3(change: object) -> object:
    if not isinstance(change, Mapping):
        return change
    limit = change.get("limit")
    rest = _without(change, "limit", "reason")
    return {**rest, "is_sound": limit != _UNSOUND, "is_measured": limit != _NOT_JUDGED}


def _alerts_of_3(content: Content) -> Content:
    """An alert had a title and a text."""
    return {**content, "alerts": [_alert_of_3(alert) for alert in _listed(content, "alerts")]}


def _alert_of_3(alert: object) -> object:
    if not isinstance(alert, Mapping):
        return alert
    finding = {
        **_recorded(alert.get("text"), alert.get("severity")),
        "metric": alert.get("metric", ""),
        "unit": alert.get("unit", ""),
        "measured": alert.get("value"),
    }
    rest = _without(alert, "title", "text", "value", "unit", "limit")
    return {**rest, "findings": [finding]}


def _recorded(text: object, severity: object) -> Content:
    return {"rule": Rule.AS_RECORDED.value, "severity": severity, "facts": {"text": text}}


def _listed(content: Content, name: str) -> list[object]:
    value = content.get(name, [])
    return value if isinstance(value, list) else [value]


def _without(value: object, *names: str) -> dict[str, object]:
    content = value if isinstance(value, Mapping) else {}
    return {name: found for name, found in content.items() if name not in names}


# By the format that a step reads, then by the kind of document. Formats 1 and 2 only lack fields.
_STEPS: Mapping[int, Mapping[str, Callable[[Content], Content]]] = MappingProxyType(
    {3: {"verdict": _verdict_of_3, "alerts": _alerts_of_3}}
)
