"""Remarks on the lines where limits stand: what GitHub shows beside the code of a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import PurePosixPath

from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.policy_view import fixture_text
from sbir_gate.model.publication import Annotation, AnnotationLevel
from sbir_gate.model.verdict import Change, Outcome, Severity, Verdict, limit_names

# GitHub shows so many of each level for a step, and drops the rest in silence
MOST_PER_LEVEL = 10

_LEVELS = {
    Severity.FAIL: AnnotationLevel.FAILURE,
    Severity.WARN: AnnotationLevel.WARNING,
    Severity.INCONCLUSIVE: AnnotationLevel.WARNING,
}
_OUTCOME_LEVELS = {
    Outcome.FAIL: AnnotationLevel.FAILURE,
    Outcome.INCOMPARABLE: AnnotationLevel.FAILURE,
    Outcome.ERROR: AnnotationLevel.FAILURE,
}
# of a policy that comes from a commit, the file is named with it
_PLACE = re.compile(r"(?P<path>.+?)(?: at commit [0-9a-f]+)?:(?P<line>\d{1,7})")
_TITLE_CHARACTERS = 100
# the key of a metric's limit whose line is pointed at: of those that are set, the first
_RELATIVE = ("fail_percent", "warn_percent", "minimum", "maximum", "unit")
_RELATIVE_WARN = ("warn_percent", "fail_percent", "unit")
_ABSOLUTE = ("minimum", "maximum", "fail_percent", "warn_percent", "unit")


def build_annotations(verdict: Verdict, origins: Mapping[str, str]) -> tuple[Annotation, ...]:
    """Return the remarks of a verdict, at most MOST_PER_LEVEL of each level.

    `origins` says for each dotted key of the settings where its value stands (`config/base.yaml:143`). What
    stands in no file of the repository gets a remark on no file.
    """
    found = [
        *_of_faults(verdict),
        *_of_records(verdict, origins),
        *_of_changes(verdict, origins),
        *_of_drift(verdict, origins),
    ]
    return tuple(
        annotation
        for level in (AnnotationLevel.FAILURE, AnnotationLevel.WARNING, AnnotationLevel.NOTICE)
        for annotation in _capped([each for each in found if each.level is level])
    )


def _of_faults(verdict: Verdict) -> Iterator[Annotation]:
    """Yield what the verdict says besides metrics, awards and drift."""
    others = {change.reason for change in verdict.changes} | {finding.reason for finding in verdict.drift}
    others.add(verdict.records.reason)
    level = _OUTCOME_LEVELS.get(verdict.outcome, AnnotationLevel.WARNING)
    for reason, origin in zip_longest(verdict.reasons, verdict.reason_origins, fillvalue=""):
        if reason and reason not in others:
            yield _annotation(level, verdict, verdict.outcome.value, reason, origin)
    edited = [edit.what for edit in verdict.policy_edits]
    if verdict.fixture_edits is not None:
        edited.append(fixture_text(verdict.fixture_edits))
    if edited:
        text = f"this change edits what it is judged by: {', '.join(edited)}"
        yield _annotation(AnnotationLevel.NOTICE, verdict, "policy", text)


def _of_records(verdict: Verdict, origins: Mapping[str, str]) -> Iterator[Annotation]:
    level = _LEVELS.get(verdict.records.severity)
    if level is not None:
        place = origins.get("gate.max_lost", "")
        yield _annotation(level, verdict, "awards", verdict.records.reason, place)


def _of_changes(verdict: Verdict, origins: Mapping[str, str]) -> Iterator[Annotation]:
    for change in verdict.changes:
        level = _LEVELS.get(change.severity)
        if level is not None:
            yield _annotation(level, verdict, change.metric, change.reason, _origin(change, origins))


def _of_drift(verdict: Verdict, origins: Mapping[str, str]) -> Iterator[Annotation]:
    for finding in verdict.drift:
        keys = _RELATIVE if finding.severity is Severity.FAIL else _RELATIVE_WARN
        origin = _first_origin([f"gate.metrics.{finding.metric}.{name}" for name in keys], origins)
        yield _annotation(
            _LEVELS.get(finding.severity, AnnotationLevel.WARNING),
            verdict,
            f"{finding.metric}, slow drift",
            finding.reason,
            origin,
        )


def _first_origin(keys: Sequence[str], origins: Mapping[str, str]) -> str:
    return next((origins[key] for key in keys if key in origins), "")


def _origin(change: Change, origins: Mapping[str, str]) -> str:
    is_absolute = "minimum" in change.limit or "maximum" in change.limit
    fields = _ABSOLUTE if is_absolute else _RELATIVE
    keys = [
        f"gate.metrics.{held}.{name}"
        for held in limit_names(change.renamed_from or change.metric)
        for name in fields
    ]
    if is_absolute and change.metric == "match_rate":
        keys.insert(0, "enrichment.performance.match_rate_threshold")
    return _first_origin(keys, origins)


def _annotation(
    level: AnnotationLevel, verdict: Verdict, about: str, text: str, origin: str = ""
) -> Annotation:
    path, line = _place(origin)
    title = plain(f"sbir-gate {verdict.gate}: {about}", _TITLE_CHARACTERS)
    return Annotation(level, title, plain(text), path, line)


def _place(origin: str) -> tuple[str, int]:
    """Return path and line of an origin within the repository; of any other, nothing."""
    match = _PLACE.fullmatch(origin)
    if match is None:
        return "", 0
    path = PurePosixPath(match["path"])
    if path.is_absolute() or ".." in path.parts or plain(match["path"]) != match["path"]:
        return "", 0
    return str(path), int(match["line"])


def _capped(found: Sequence[Annotation]) -> Sequence[Annotation]:
    if len(found) <= MOST_PER_LEVEL:
        return found
    kept = found[: MOST_PER_LEVEL - 1]
    rest = found[MOST_PER_LEVEL - 1 :]
    words = f"and {len(rest)} more: the report has them all"
    return [*kept, Annotation(rest[0].level, rest[0].title.partition(":")[0], words)]
