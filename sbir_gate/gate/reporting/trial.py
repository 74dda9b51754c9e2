"""A trial of the gate as text for people, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from sbir_gate.gate.reporting.messages import texts
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quantities import NOTHING, counted, percent_text, quantity, signed_percent
from sbir_gate.gate.reporting.table_text import TableLayout, table_lines
from sbir_gate.model.adapters import adapter
from sbir_gate.model.trial import (
    AdvisedSetting,
    Case,
    Found,
    GateRuns,
    LeftOut,
    Omission,
    Planted,
    PlantedLinks,
    Seen,
    Trial,
)

_WIDTH = 100
_HEADINGS = {Planted.TIME: "Time", Planted.MEMORY: "Memory"}
_LEFT_OUT = {
    LeftOut.NO_TIME: "not measured within the budget",
    LeftOut.FEWER_PAIRS: "fewer than 20 pairs within the budget",
    LeftOut.MEMORY_NOT_PLANTED: "no memory planted: the machine has too little",
    LeftOut.NO_LINKS: "no links planted: the engine made too few correct ones",
    LeftOut.FEWER_LINKS: "not all numbers of lost and swapped links within the budget",
    LeftOut.STOPPED: "interrupted",
}


def render_trial_json(trial: Trial) -> str:
    """Return the trial as one JSON object; docs/schemas/trial.json is its schema."""
    return adapter(Trial).dump_json(trial, indent=2).decode() + "\n"


def render_trial(trial: Trial) -> str:
    """Return the tables of a trial, what was left out, and the advised settings as YAML."""
    sections = [
        _heading(trial),
        *(_section(trial, planted) for planted in (Planted.TIME, Planted.MEMORY)),
        _links(trial.links),
        _unchanged(trial),
        _left_out(trial),
        _advice(trial.advice),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _heading(trial: Trial) -> list[str]:
    engine = f"{quantity(trial.engine_seconds, 's')} and {quantity(trial.engine_mib, 'MiB')} a run"
    spent = f"{trial.spent_seconds:,.0f} s of {trial.budget_seconds:,.0f} s"
    return [
        f"trial of the gate {plain(trial.gate)}; engine: {plain(trial.engine)}",
        f"{engine}; {counted(trial.awards, 'award')}; seed {trial.seed}; {spent}",
    ]


def _section(trial: Trial, planted: Planted) -> list[str]:
    """Return the table of time or memory: a row for each handicap, then what follows from all of them."""
    cases = [case for case in trial.cases if planted is Planted.TIME or case.has_memory]
    counts = sorted({runs.pairs for case in cases for runs in case.runs})
    if not counts:
        return []
    draws = next(runs.time.drawn.runs for case in cases for runs in case.runs)
    headings = ("handicap", "estimated", *(f"at most {count} pairs" for count in counts))
    rows = [
        [_handicap(case, planted), _estimate(case, planted), *_cells(case, planted, counts)] for case in cases
    ]
    found = {each.pairs: each for each in trial.found if each.planted is planted}
    rows.append(["smallest regression found", "", *(_found(found.get(count)) for count in counts)])
    unchanged = next((case for case in cases if not case.percent), None)
    if unchanged is not None:
        at = {runs.pairs: runs for runs in unchanged.runs}
        for name, text in _ROWS[planted].items():
            rows.append(
                [name, "", *(text(at[count], planted) if count in at else NOTHING for count in counts)]
            )
    title = (
        f"{_HEADINGS[planted]}: failed runs of the gate: separate ones + {draws} drawn from the same pairs"
    )
    return [title, *table_lines(TableLayout(headings, frozenset({0}), ()), rows, _WIDTH)]


def _handicap(case: Case, planted: Planted) -> str:
    return f"{planted.value} +{case.percent:g}%" if case.percent else "unchanged: false alarms"


def _estimate(case: Case, planted: Planted) -> str:
    percent = case.time_percent if planted is Planted.TIME else case.memory_percent
    return NOTHING if percent is None else signed_percent(1 + percent / 100, is_shown=True)


def _cells(case: Case, planted: Planted, counts: Sequence[int]) -> Iterator[str]:
    at = {runs.pairs: runs for runs in case.runs}
    for count in counts:
        if count not in at:
            yield NOTHING
            continue
        seen = _seen(at[count], planted)
        yield f"{seen.separate.failed}/{seen.separate.runs} + {seen.drawn.failed}/{seen.drawn.runs}"


def _seen(runs: GateRuns, planted: Planted) -> Seen:
    return runs.time if planted is Planted.TIME else runs.memory


def _found(found: Found | None) -> str:
    return NOTHING if found is None else "none" if found.percent is None else f"{found.percent:g}%"


def _least(runs: GateRuns, planted: Planted) -> str:
    least = _seen(runs, planted).least_detectable_percent
    return NOTHING if least is None else percent_text(least)


def _other_ends(runs: GateRuns, planted: Planted) -> str:
    seen = _seen(runs, planted)
    separate, drawn = (each.warned + each.inconclusive for each in (seen.separate, seen.drawn))
    return f"{separate}/{seen.separate.runs} + {drawn}/{seen.drawn.runs}"


# what unchanged code shows besides false alarms
_ROWS: Mapping[Planted, Mapping[str, Callable[[GateRuns, Planted], str]]] = {
    Planted.TIME: {
        "unchanged: warned or undecided": _other_ends,
        "smallest detectable change": _least,
        "pairs until decided, on average": lambda runs, _: f"{runs.pairs_used:.1f}",
        "minutes per pull request": lambda runs, _: f"{runs.seconds / 60:.1f}",
    },
    Planted.MEMORY: {"unchanged: warned or undecided": _other_ends, "smallest detectable change": _least},
}


def _links(links: Sequence[PlantedLinks]) -> list[str]:
    if not links:
        return []
    counts = sorted({each.count for each in links})
    rows = []
    for kind in dict.fromkeys(each.planted for each in links):
        caught = {each.count: f"{each.caught}/{each.draws}" for each in links if each.planted is kind}
        rows.append([f"{kind.value} links", *(caught.get(count, NOTHING) for count in counts)])
    layout = TableLayout(("planted", *map(str, counts)), frozenset({0}), ())
    return [
        "Links: failed runs of the gate, by the number of planted links",
        *table_lines(layout, rows, _WIDTH),
    ]


def _unchanged(trial: Trial) -> list[str]:
    if trial.unchanged is None:
        return []
    return [
        f"Unchanged code, all pairs: {trial.unchanged.value}",
        *(f"- {plain(text)}" for text in texts(trial.findings)),
    ]


def _left_out(trial: Trial) -> list[str]:
    if not trial.left_out:
        return []
    lines = [f"- {_omission(each)}" for each in trial.left_out]
    needed = f"everything takes about {trial.needed_seconds:,.0f} s: --budget {trial.needed_seconds:.0f}"
    return ["Left out", *lines, needed]


def _omission(omission: Omission) -> str:
    text = _LEFT_OUT[omission.reason]
    if omission.percent is None:
        return text
    return f"{'unchanged code' if not omission.percent else f'handicap +{omission.percent:g}%'}: {text}"


def _advice(advice: Sequence[AdvisedSetting]) -> list[str]:
    """Return the advised settings as YAML, nested as in the settings file."""
    if not advice:
        return []
    lines: list[str] = ["Advised settings, to copy into sbir-gate.yaml:", ""]
    path: list[str] = []
    for each in advice:
        *sections, name = each.key.split(".")
        for depth, section in enumerate(sections):
            if path[: depth + 1] != sections[: depth + 1]:
                lines.append(f"{'  ' * depth}{section}:")
                path = sections[: depth + 1]
        now = "none" if each.now is None else f"{each.now:g}"
        note = "" if each.now == each.advised else f"  # now {now}"
        lines.append(f"{'  ' * len(sections)}{name}: {each.advised:g}{note}")
    return lines
