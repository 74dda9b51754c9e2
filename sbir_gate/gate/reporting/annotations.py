"""Remarks on the lines where limits stand: what GitHub shows beside the code of a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from sbir_gate.gate.reporting.messages import text
from sbir_gate.gate.reporting.metric_names import metric_name
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.policy_view import fixture_text
from sbir_gate.model.finding import ABSOLUTE, Finding, LimitKind, Place, Rule, Severity, place_of
from sbir_gate.model.publication import Annotation, AnnotationLevel
from sbir_gate.model.verdict import Verdict, limit_names

# GitHub shows at most this many of each level for a step and drops the rest silently
MOST_PER_LEVEL = 10

_LEVELS = {
    Severity.FAIL: AnnotationLevel.FAILURE,
    Severity.WARN: AnnotationLevel.WARNING,
    Severity.INCONCLUSIVE: AnnotationLevel.WARNING,
}
_MOST_LINES = 9_999_999
_TITLE_CHARACTERS = 100
_AWARDS = "awards"
# the key of a metric's limit whose line is pointed at: of those that are set, the first
_RELATIVE = ("fail_percent", "warn_percent", "minimum", "maximum", "unit")
_RELATIVE_WARN = ("warn_percent", "fail_percent", "unit")
_ABSOLUTE = ("minimum", "maximum", "fail_percent", "warn_percent", "unit")


def build_annotations(
    verdict: Verdict, origins: Mapping[str, str], folder: str = ""
) -> tuple[Annotation, ...]:
    """Return the remarks of a verdict, at most MOST_PER_LEVEL of each level.

    `origins` says for each dotted key of the settings the place of its value (`config/base.yaml:143`). A
    value from outside the repository gets an annotation without a file. `folder` is where the gate was run,
    from the top of the repository: places of findings start there.
    """
    found = [
        *(_of_finding(finding, verdict, origins, folder) for finding in verdict.deciding),
        *_of_edits(verdict),
    ]
    return tuple(
        annotation
        for level in (AnnotationLevel.FAILURE, AnnotationLevel.WARNING, AnnotationLevel.NOTICE)
        for annotation in _capped([each for each in found if each.level is level], verdict.gate)
    )


def _of_finding(finding: Finding, verdict: Verdict, origins: Mapping[str, str], folder: str) -> Annotation:
    place = finding.place or place_of(_origin(finding, verdict, origins))
    if finding.place is not None and folder and not PurePosixPath(finding.place.path).is_absolute():
        place = replace(finding.place, path=str(PurePosixPath(folder) / finding.place.path))
    return _annotation(_LEVELS[finding.severity], verdict, _about(finding, verdict), text(finding), place)


def _about(finding: Finding, verdict: Verdict) -> str:
    if finding.rule is Rule.DRIFT:
        return f"{metric_name(finding.metric)}, slow drift"
    if finding.metric:
        return metric_name(finding.metric)
    is_of_awards = finding.limit_kind is LimitKind.MAX_LOST or finding.award_ids
    return _AWARDS if is_of_awards else verdict.outcome.value


def _of_edits(verdict: Verdict) -> Iterator[Annotation]:
    edited = [edit.what for edit in verdict.policy_edits]
    if verdict.fixture_edits is not None:
        edited.append(fixture_text(verdict.fixture_edits))
    if edited:
        said = f"this change edits what it is judged by: {', '.join(edited)}"
        yield _annotation(AnnotationLevel.NOTICE, verdict, "policy", said, None)


def _origin(finding: Finding, verdict: Verdict, origins: Mapping[str, str]) -> str:
    """Return where the limit is set that the finding is about; empty for none."""
    if not finding.metric:
        return origins.get("gate.max_lost", "") if _about(finding, verdict) == _AWARDS else ""
    is_absolute = finding.limit_kind in ABSOLUTE
    is_warning = finding.rule is Rule.DRIFT and finding.severity is not Severity.FAIL
    fields = _ABSOLUTE if is_absolute else _RELATIVE_WARN if is_warning else _RELATIVE
    old_names = (each.renamed_from for each in verdict.changes if each.metric == finding.metric)
    name = next(filter(None, old_names), finding.metric)
    keys = [f"gate.metrics.{held}.{field}" for held in limit_names(name) for field in fields]
    if is_absolute and finding.metric in {"match_rate", "population_match_rate"}:
        keys.insert(0, "enrichment.performance.match_rate_threshold")
    return _first_origin(keys, origins)


def _first_origin(keys: Sequence[str], origins: Mapping[str, str]) -> str:
    return next((origins[key] for key in keys if key in origins), "")


def _annotation(
    level: AnnotationLevel, verdict: Verdict, about: str, message: str, place: Place | None
) -> Annotation:
    path, line = _in_repository(place)
    title = plain(f"sbir-gate {verdict.gate}: {about}", _TITLE_CHARACTERS)
    return Annotation(level, title, plain(message), path, line)


def _in_repository(place: Place | None) -> tuple[str, int]:
    """Return path and line of a place within the repository; of any other, nothing."""
    if place is None or not 0 < place.line <= _MOST_LINES:
        return "", 0
    path = PurePosixPath(place.path)
    if path.is_absolute() or ".." in path.parts or plain(place.path) != place.path:
        return "", 0
    return str(path), place.line


def _capped(found: Sequence[Annotation], gate: str) -> Sequence[Annotation]:
    if len(found) <= MOST_PER_LEVEL:
        return found
    kept = found[: MOST_PER_LEVEL - 1]
    rest = found[MOST_PER_LEVEL - 1 :]
    words = f"and {len(rest)} more: the report has them all"
    return [*kept, Annotation(rest[0].level, plain(f"sbir-gate {gate}", _TITLE_CHARACTERS), words)]
