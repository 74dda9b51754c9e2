"""What to do next: reproduce the verdict, decide an open question, accept a regression, or read on."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import yaml

from sbir_gate.gate.reporting.awards_view import lost_award
from sbir_gate.gate.reporting.judgement import doubt_of, first_fix
from sbir_gate.gate.reporting.messages import catalogue
from sbir_gate.gate.reporting.metric_rows import ranked
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quantities import counted
from sbir_gate.model.explanation import BASE, BASELINE
from sbir_gate.model.finding import Rule, Severity
from sbir_gate.model.run import BUILT_IN, Call, Run
from sbir_gate.model.verdict import Change, Outcome, Verdict
from sbir_gate.model.waiver import AWARDS, PLACEHOLDERS

WAIVERS_FILE = "config/waivers.yaml"

_COMMIT_CHARACTERS = 12
_VALUE_CHARACTERS = 2000
_OPTIONS = {
    "fixtures.awards": "--awards",
    "fixtures.recipients": "--recipients",
    "fixtures.truth": "--truth",
    "gate.baselines_folder": "--baselines",
}
# of these `explain` needs none: it measures nothing and judges nothing
_NOT_EXPLAINED = ("fixtures.truth", "enricher.", "benchmark.", "gate.", "history.", "reports.")
# but these say where the Run is that head was compared with
_REFERENCE = ("gate.name", "gate.baselines_folder", "reports.folder")
_WAIVER_DAYS = 90
_SPARE = 1.2  # calibration and checks take a share of the budget too
_PAIRS, _REPEATS = ("more pair", "more pairs"), ("more repeat a side", "more repeats a side")
_NOT_REPRODUCED = frozenset({Outcome.PASS, Outcome.NO_BASELINE})


class _Dumper(yaml.SafeDumper):
    """Writes equal days out each time, not as aliases of the first one."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 -- the signature of yaml
        return True


@dataclass(frozen=True, slots=True)
class NextSteps:
    """What to do next, each empty where there is nothing to do.

    `command` measures the same again, `explain` says why the first of the lost awards has no link. `advice`
    is what would settle the matter. `waivers` is the content of a waivers file that lets the regression pass,
    to be completed with a reason and an owner.
    """

    command: str = ""
    explain: str = ""
    advice: tuple[str, ...] = ()
    waivers: str = ""


def next_steps(run: Run | None, verdict: Verdict, pull_request: str = "", against: str = "") -> NextSteps:
    """Return what to do next about a verdict; `against` is the saved Run that a user compared with."""
    if verdict.outcome is Outcome.NO_BASELINE:
        return NextSteps(advice=(catalogue()[Rule.NO_BASELINE].fix,))
    explain = _explain(run, verdict, against)
    if verdict.outcome in _NOT_REPRODUCED:
        return NextSteps(explain=explain)
    return NextSteps(
        command=_command(run, verdict),
        explain=explain,
        advice=tuple(_advice(run, verdict)),
        waivers=_waivers(verdict, pull_request) if verdict.outcome is Outcome.FAIL else "",
    )


def _command(run: Run | None, verdict: Verdict) -> str:
    """Return the command that measures the same again, with all that was given for this run alone."""
    words = ["sbir-gate", "run"]
    call = verdict.call or Call(BUILT_IN)
    if run is not None:
        call = Call(run.enricher, run.settings_file, overrides=run.overrides)
    if call.settings_file:
        words += ["--config", plain(call.settings_file)]
    is_beside = bool(verdict.reference_commit) and (run is None or bool(run.session))
    if is_beside:
        words += ["--base", plain(verdict.reference_commit[:_COMMIT_CHARACTERS])]
    elif call.base:
        words += ["--base", plain(call.base)]
    if verdict.policy_commit and not (is_beside and verdict.policy_commit == verdict.reference_commit):
        words += ["--policy-from", plain(verdict.policy_commit[:_COMMIT_CHARACTERS])]
    return shlex.join((*words, *_given(call.enricher, call.overrides)))


def _explain(run: Run | None, verdict: Verdict, against: str) -> str:
    """Return the command that explains a lost award."""
    award = plain(lost_award(verdict.records), _VALUE_CHARACTERS)
    if run is None or not award or award.startswith("-"):
        return ""
    words = ["sbir-gate", "explain", award]
    if run.settings_file:
        words += ["--config", plain(run.settings_file)]
    # where they are saved is a matter of the settings that are in force where the command is called
    words += ["--against", plain(against) or (BASE if run.session else BASELINE)]
    given = run.overrides.items()
    asked = {key: value for key, value in given if not key.startswith(_NOT_EXPLAINED)}
    # `explain` has no options for these
    sections = () if run.enricher == BUILT_IN else ("enricher.",)
    places = () if against else _REFERENCE
    named = {key: value for key, value in given if key.startswith(sections) or key in places}
    return shlex.join(
        (
            *words,
            *_given(run.enricher, asked),
            *(word for key, value in named.items() for word in _assignment(key, value)),
        )
    )


def _given(enricher: str, overrides: Mapping[str, str]) -> Iterator[str]:
    """Yield the options that repeat what was set beyond the files."""
    for key, value in overrides.items():
        if key == "enricher.command":
            yield from ("--enricher", plain(enricher, _VALUE_CHARACTERS))
        elif (key, value) == ("benchmark.is_timed", "false"):
            yield "--quick"
        elif key in _OPTIONS and value != "null":
            yield from (_OPTIONS[key], plain(str(yaml.safe_load(value)), _VALUE_CHARACTERS))
        else:
            yield from _assignment(key, value)


def _assignment(key: str, value: str) -> tuple[str, str]:
    return "--set", plain(f"{key}={value}", _VALUE_CHARACTERS)


def _advice(run: Run | None, verdict: Verdict) -> Iterator[str]:
    fix = first_fix(verdict)
    if fix:
        yield fix if fix.endswith((".", "!", "?")) else f"{fix}."
    doubt = doubt_of(verdict)
    if verdict.outcome is not Outcome.INCONCLUSIVE or doubt is None:
        return
    more = doubt.facts.get("more_pairs", doubt.facts.get("more_repeats"))
    if doubt.facts.get("needs_pairs"):
        yield "More repeats would not decide: measure base and head side by side, with --base."
    elif isinstance(more, int):
        names = _PAIRS if "more_pairs" in doubt.facts else _REPEATS
        yield f"About {counted(more, *names)} would decide{_budget(run, verdict, more)}."
    else:
        yield "Run the job again on a quieter runner: no number of repeats within reach would decide."


def _budget(run: Run | None, verdict: Verdict, more: int) -> str:
    """Return the setting that gives the time for `more` pairs; empty where it is not known."""
    wall = next((change for change in verdict.changes if change.metric == "wall_seconds"), None)
    if run is None or not run.session or wall is None or wall.head is None or wall.reference is None:
        return ""
    seconds = (len(run.samples) + more) * (wall.head + wall.reference) * _SPARE
    return f": set benchmark.max_seconds to {math.ceil(seconds / 10) * 10:,}"


def _waivers(verdict: Verdict, pull_request: str) -> str:
    """Return a waivers file with an entry for each regression that a waiver can accept; empty for none."""
    entries = dict(_caps(verdict))
    if not entries:
        return ""
    expires = verdict.head_started_at.date() + timedelta(days=_WAIVER_DAYS)
    waivers = [
        {
            "metric": metric,
            "limit": cap,
            **PLACEHOLDERS,
            "expires": expires,
            "pr": pull_request or 1,
        }
        for metric, cap in entries.items()
    ]
    return yaml.dump({"waivers": waivers}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=200)


def _caps(verdict: Verdict) -> Iterator[tuple[str, int]]:
    """Yield what a waiver names, and the cap that it needs."""
    records = verdict.records
    if records.severity is Severity.FAIL and records.is_sound:
        yield AWARDS, records.worsened
    for change in ranked(verdict.changes):
        if change.severity is Severity.FAIL and (percent := _needed_percent(change)) is not None:
            yield plain(change.metric, 1000), percent


def _needed_percent(change: Change) -> int | None:
    if change.waivable_percent is None or not math.isfinite(change.waivable_percent):
        return None
    return max(1, math.ceil(change.waivable_percent))
