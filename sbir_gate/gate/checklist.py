"""The readiness checklist: what must hold before a deployment, each item from a document or a command."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sbir_gate import __version__
from sbir_gate.errors import SbirGateError
from sbir_gate.files import read_file
from sbir_gate.gate.announcing import announce_run
from sbir_gate.gate.baseline import baseline_diagnoses
from sbir_gate.gate.comparing.backing import MATCH_RATE
from sbir_gate.gate.dashboard import history_of
from sbir_gate.gate.fixture import describe_fixture
from sbir_gate.gate.main_branch import course_branch
from sbir_gate.gate.publishing.slack import WEBHOOK_VARIABLE, SlackEdges
from sbir_gate.gate.storing.baselines import load_baseline
from sbir_gate.model.alert import AlertList, RunNotice
from sbir_gate.model.diagnosis import Diagnosis, Flaw, Gravity
from sbir_gate.model.finding import Fact, Finding, Rule, Severity
from sbir_gate.model.history import HistoryEntry, HistoryQuery
from sbir_gate.model.verdict import Outcome
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.schema import ChecklistSettings

CHECKS, BASELINE, FULL_RUN, ALERTING = "checks", "baseline", "full run", "alerting"

_GOOD = frozenset({Outcome.PASS, Outcome.WARN})
_MAX_BYTES = 1024 * 1024
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")
# | [a page](docs/page.md) | 2026-01-31 | A. Person |
_ROW = re.compile(r"^\|(?P<page>[^|]*\.md[^|]*)\|(?P<day>[^|]*)\|(?P<owner>[^|]*)\|\s*$")


@dataclass(frozen=True, slots=True)
class ChecklistEdges:
    """What the checklist needs of the world; tests pass fakes. `webhook` is empty where there is none."""

    now: Callable[[], datetime]
    webhook: str
    slack: Callable[[], SlackEdges]


def examine_readiness(
    effective: EffectiveSettings, source: str | None, edges: ChecklistEdges, *, sends_alert: bool
) -> tuple[Diagnosis, ...]:
    """Return one note for each item that holds, and an error for each reason why one is open.

    `source` names the history, as the dashboard has it. `sends_alert` sends a marked test alert, the only
    proof that alerts arrive. A fault of one item hides no other.
    """
    return (
        *_told(CHECKS, lambda: _of_history(effective, source, edges.now().date())),
        *_told(BASELINE, lambda: _baseline(effective, edges.now().date())),
        *_told(ALERTING, lambda: _alerting(effective, edges, sends_alert=sends_alert)),
        *_reviews(effective, edges.now().date()),
    )


def _told(item: str, examine: Callable[[], Iterator[Diagnosis]]) -> Iterator[Diagnosis]:
    try:
        yield from examine()
    except SbirGateError as error:
        facts: dict[str, Fact] = {"text": error.message, "hint": error.hint}
        yield Diagnosis(Gravity.ERROR, Flaw.INPUT_ERROR, item, facts)


def _of_history(effective: EffectiveSettings, source: str | None, today: date) -> Iterator[Diagnosis]:
    settings = effective.settings
    branch = course_branch(settings)
    with history_of(source, settings) as (history, _):
        for item, gate in ((CHECKS, settings.gate.name), (FULL_RUN, settings.checklist.full_gate)):
            rows = history.rows(HistoryQuery(gate=gate, branch=branch, limit=1))
            yield _of_gate(item, gate, [history.entry(row) for row in rows], settings.checklist, today)


def _of_gate(
    item: str, gate: str, newest: Sequence[HistoryEntry], checklist: ChecklistSettings, today: date
) -> Diagnosis:
    """Return whether the newest Run of a gate on the main branch passed, links enough, and is recent."""
    if not newest:
        return Diagnosis(Gravity.ERROR, Flaw.NO_RUN_OF_GATE, item, {"gate": gate})
    entry = newest[-1]
    rate, days = _match_rate(entry), (today - entry.started_at.date()).days
    facts: dict[str, Fact] = {"gate": gate, "commit": entry.source.commit, "days": days}
    if entry.outcome not in _GOOD:
        said = entry.outcome.value if entry.outcome else "unknown"
        return Diagnosis(Gravity.ERROR, Flaw.RUN_NOT_PASSED, item, {**facts, "outcome": said})
    if rate is None or rate < checklist.min_match_rate:
        rates: dict[str, Fact] = {"rate": -1.0 if rate is None else rate, "least": checklist.min_match_rate}
        return Diagnosis(Gravity.ERROR, Flaw.MATCH_RATE_TOO_LOW, item, {**facts, **rates})
    if days > checklist.max_days:
        return Diagnosis(Gravity.ERROR, Flaw.RUN_TOO_OLD, item, {**facts, "most": checklist.max_days})
    return Diagnosis(Gravity.NOTE, Flaw.RUN_PASSED, item, {**facts, "rate": rate})


def _match_rate(entry: HistoryEntry) -> float | None:
    return next((each.values[0] for each in entry.metrics if each.name == MATCH_RATE and each.values), None)


def _baseline(effective: EffectiveSettings, today: date) -> Iterator[Diagnosis]:
    gate = effective.settings.gate
    baseline = load_baseline(gate.baselines_folder, gate.name)
    if baseline is None:
        yield Diagnosis(Gravity.ERROR, Flaw.BASELINE_MISSING, BASELINE)
        return
    fingerprint = describe_fixture(effective, len(baseline.awards)).fingerprint
    # one without segments shows less, and is as fresh
    found = [
        each
        for each in baseline_diagnoses(effective, baseline, fingerprint, today)
        if each.flaw is not Flaw.BASELINE_WITHOUT_SEGMENTS
    ]
    for each in found:
        yield Diagnosis(Gravity.ERROR, each.flaw, BASELINE, each.facts)
    if not found:
        days = (today - baseline.started_at.date()).days
        facts: dict[str, Fact] = {"commit": baseline.source.commit, "days": days}
        yield Diagnosis(Gravity.NOTE, Flaw.BASELINE_FRESH, BASELINE, facts)


def _alerting(
    effective: EffectiveSettings, edges: ChecklistEdges, *, sends_alert: bool
) -> Iterator[Diagnosis]:
    if not edges.webhook:
        yield Diagnosis(Gravity.ERROR, Flaw.NO_WEBHOOK, ALERTING, {"name": WEBHOOK_VARIABLE})
        return
    if not sends_alert:
        yield Diagnosis(Gravity.ERROR, Flaw.ALERT_NOT_TESTED, ALERTING)
        return
    notice = alert_of_test(effective.settings.gate.name, edges.now())
    announce_run(notice, edges.webhook, edges.slack())
    yield Diagnosis(Gravity.NOTE, Flaw.ALERT_SENT, ALERTING)


def alert_of_test(gate: str, moment: datetime) -> RunNotice:
    """Return a message that says that it is a test."""
    alerts = AlertList(gate, Outcome.PASS, moment, f"sbir-gate {__version__}", branch="", alerts=())
    return RunNotice(Finding(Rule.TEST_ALERT, Severity.INFO), alerts)


def _reviews(effective: EffectiveSettings, today: date) -> Iterator[Diagnosis]:
    """Yield whether each document of the checklist's table was reviewed: a date and an owner beside it."""
    checklist = effective.settings.checklist
    path = Path(checklist.file)
    try:
        lines = read_file(path, _MAX_BYTES).decode("utf-8", errors="replace").splitlines()
    except OSError as error:
        facts: dict[str, Fact] = {"fault": error.strerror or "unreadable"}
        yield Diagnosis(Gravity.ERROR, Flaw.CHECKLIST_UNREADABLE, str(path), facts)
        return
    rows = [(number, row) for number, line in enumerate(lines, 1) if (row := _ROW.match(line))]
    if not rows:
        yield Diagnosis(Gravity.ERROR, Flaw.CHECKLIST_EMPTY, str(path))
    for number, row in rows:
        yield _review(f"{path}:{number}", row, today, checklist.review_max_days)


def _review(place: str, row: re.Match[str], today: date, most: int) -> Diagnosis:
    page, day, owner = (_LINK.sub(r"\1", row[name]).strip() for name in ("page", "day", "owner"))
    facts: dict[str, Fact] = {"page": page, "owner": owner, "day": day}
    if not day or not owner:
        return Diagnosis(Gravity.ERROR, Flaw.NOT_REVIEWED, place, facts)
    try:
        age = (today - date.fromisoformat(day)).days
    except ValueError:
        return Diagnosis(Gravity.ERROR, Flaw.REVIEW_DATE_INVALID, place, facts)
    if not 0 <= age <= most:
        return Diagnosis(Gravity.ERROR, Flaw.REVIEW_OLD, place, {**facts, "days": age, "most": most})
    return Diagnosis(Gravity.NOTE, Flaw.REVIEWED, place, facts)
