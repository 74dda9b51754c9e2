"""How documents of older formats are read: one pure step from each format to the next.

A step takes what the JSON holds and returns it as the next format has it. It raises ValueError for what is
damaged, or leaves it to the codec. A field that has a default needs no step (CONTRIBUTING.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import islice, zip_longest
from types import MappingProxyType

from sbir_gate.model.adapters import adapter
from sbir_gate.model.award_columns import columns_of
from sbir_gate.model.awards import AwardRecord, Label
from sbir_gate.model.finding import Rule, Severity, place_of
from sbir_gate.model.matches import Decision, names_candidates
from sbir_gate.model.records import LinkedRecipient

Content = Mapping[str, object]

# Runs up to format 3 may repeat the recall under these names where the engine reports no candidates.
_OF_CANDIDATES = frozenset({"blocking_recall", "scoring_recall"})

_UNSOUND = "must be sound"
_NOT_JUDGED = "not judged"


def upgraded(kind: str, content: object, version: int) -> object:
    """Return the content of a document of an older format as the newest one has it."""
    if not isinstance(content, Mapping):
        return content
    for number, steps in _STEPS.items():
        if number >= version and kind in steps:
            content = steps[kind](content)
    return content


@dataclass(frozen=True, slots=True)
class _KindOf3:
    phase: str
    company_size: str
    identifier_type: str


@dataclass(frozen=True, slots=True)
class _AwardsOf3:
    """The arrays of a Run about its awards; `firm_names` and `kind_indexes` run parallel to `decisions`."""

    decisions: tuple[Decision, ...]
    firm_names: tuple[str, ...] = ()
    right_award_ids: tuple[str, ...] = ()
    has_truth: bool = False
    award_kinds: tuple[_KindOf3, ...] = ()
    kind_indexes: tuple[int, ...] = ()
    recipients: tuple[LinkedRecipient, ...] = ()
    unlabelled_award_ids: tuple[str, ...] = ()


_NO_KIND = _KindOf3("", "", "")
_NO_RECIPIENT = LinkedRecipient("")


def _run_of_3(content: Content) -> Content:
    """A Run had seven arrays about its awards, and the metrics of candidates for every engine."""
    names = {field.name for field in fields(_AwardsOf3)}
    arrays = {name: value for name, value in content.items() if name in names}
    awards = adapter(_AwardsOf3).validate_python(arrays)
    rest = {name: value for name, value in content.items() if name not in names or name == "has_truth"}
    metrics = rest.get("metrics")
    if isinstance(metrics, list) and awards.decisions and not names_candidates(awards.decisions):
        rest["metrics"] = [metric for metric in metrics if not _is_of_candidates(metric)]
    return {"awards": columns_of(tuple(_records(awards))), **rest}


def _records(awards: _AwardsOf3) -> Iterator[AwardRecord]:
    right, unlabelled = frozenset(awards.right_award_ids), frozenset(awards.unlabelled_award_ids)
    recipients = {each.recipient_id: each for each in awards.recipients}
    rows = zip_longest(awards.decisions, awards.firm_names, awards.kind_indexes)
    for decision, firm_name, index in islice(rows, len(awards.decisions)):
        is_kind = index is not None and 0 <= index < len(awards.award_kinds)
        kind = awards.award_kinds[index] if is_kind else _NO_KIND
        recipient = recipients.get(decision.link, _NO_RECIPIENT)
        label = Label.CORRECT if decision.award_id in right else Label.INCORRECT
        if not awards.has_truth or decision.award_id in unlabelled:
            label = Label.UNLABELLED
        yield AwardRecord(
            decision,
            label,
            firm_name=firm_name or "",
            recipient_name=recipient.name,
            recipient_uei=recipient.uei,
            phase=kind.phase,
            company_size=kind.company_size,
            identifier_type=kind.identifier_type,
        )


def _is_of_candidates(metric: object) -> bool:
    return isinstance(metric, Mapping) and metric.get("name") in _OF_CANDIDATES


def _verdict_of_3(content: Content) -> Content:
    """A verdict had sentences: reasons and notes beside the changes, and a reason in each.

    One without a reference said so by an empty time.
    """
    if "findings" in content:
        raise ValueError("a verdict of format 3 or older has no findings")
    old = {"reasons", "notes", "reason_origins", "drift"}
    return {
        **{name: value for name, value in content.items() if name not in old},
        "findings": [*_reasons(content), *(_recorded(note, "info") for note in _listed(content, "notes"))],
        "changes": [_change_of_3(change) for change in _listed(content, "changes")],
        "own_fixture_changes": [_change_of_3(each) for each in _listed(content, "own_fixture_changes")],
        "records": _without(content.get("records"), "reason"),
        "reference_started_at": content.get("reference_started_at") or None,
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


def _run_of_4(content: Content) -> Content:
    """A Run had its notes, and why a fixture edit could not be judged, as sentences."""
    warnings = [_recorded(text, "info") for text in _listed(content, "warnings")]
    return {**content, **_with_obstacle(content), "warnings": warnings}


def _verdict_of_4(content: Content) -> Content:
    """A verdict had why a fixture edit could not be judged as a sentence."""
    return {**content, **_with_obstacle(content)}


def _with_obstacle(content: Content) -> Content:
    edits = content.get("fixture_edits")
    if not isinstance(edits, Mapping):
        return {}
    obstacle = {"rule": Rule.FIXTURE_EDIT_UNJUDGED.value, "severity": "fail"}
    facts = {"obstacle": edits.get("obstacle")}
    return {
        "fixture_edits": {**edits, "obstacle": {**obstacle, "facts": facts} if facts["obstacle"] else None}
    }


def _recorded(text: object, severity: object) -> Content:
    return {"rule": Rule.AS_RECORDED.value, "severity": severity, "facts": {"text": text}}


def _listed(content: Content, name: str) -> list[object]:
    value = content.get(name, [])
    return value if isinstance(value, list) else [value]


def _without(value: object, *names: str) -> dict[str, object]:
    content = value if isinstance(value, Mapping) else {}
    return {name: found for name, found in content.items() if name not in names}


# By the format that a step reads, then by the kind of document. Formats 1 and 2 only lack what has a default.
_STEPS: Mapping[int, Mapping[str, Callable[[Content], Content]]] = MappingProxyType(
    {
        3: {"run": _run_of_3, "verdict": _verdict_of_3, "alerts": _alerts_of_3},
        4: {"run": _run_of_4, "verdict": _verdict_of_4},
    }
)
