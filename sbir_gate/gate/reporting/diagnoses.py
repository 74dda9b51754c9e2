"""Diagnoses as lines for people, or as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sbir_gate.gate.reporting.escaping import escape_markdown
from sbir_gate.gate.reporting.messages import diagnosis_texts
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quantities import counted
from sbir_gate.model.diagnosis import Diagnosis, Gravity

_MARKS = {Gravity.NOTE: "ok"}


def diagnosis_lines(diagnoses: Sequence[Diagnosis], gravity: Gravity) -> list[str]:
    """Return those of one gravity as lines: the place, what is there, and the fix."""
    return [_line(each) for each in diagnoses if each.gravity is gravity]


def _line(found: Diagnosis) -> str:
    return ": ".join(filter(None, (plain(found.place), "; ".join(filter(None, diagnosis_texts(found))))))


def render_findings(diagnoses: Sequence[Diagnosis]) -> str:
    """Return what was seen while data were read: one line each, warnings marked."""
    marks = {Gravity.NOTE: ""}
    return "\n".join(f"{marks.get(each.gravity, f'{each.gravity}: ')}{_line(each)}" for each in diagnoses)


def render_diagnoses(diagnoses: Sequence[Diagnosis]) -> str:
    """Return one line per diagnosis, errors first as given, and a last line that counts them."""
    lines = [f"{each.gravity}: {_line(each)}" for each in diagnoses]
    return "\n".join([*lines, _summary(diagnoses)]) + "\n"


def render_diagnoses_json(diagnoses: Sequence[Diagnosis]) -> str:
    """Return the diagnoses with their counts as one JSON object."""
    document = {
        "errors": count_of(diagnoses, Gravity.ERROR),
        "warnings": count_of(diagnoses, Gravity.WARNING),
        "diagnoses": list(map(_entry, diagnoses)),
    }
    return json.dumps(document, indent=2) + "\n"


def render_check(found: Sequence[Diagnosis]) -> str:
    """Return what was found of an engine: one line for each part of the contract, and a last line of all.

    The end of its own messages follows below the line that says that it broke.
    """
    lines: list[str] = []
    for each in found:
        said = "; ".join(filter(None, diagnosis_texts(each)))
        lines.append(f"{_MARKS.get(each.gravity, each.gravity)}: {plain(each.place)}: {said}")
        log = each.facts.get("log")
        lines += [f"    {plain(line)}" for line in log] if isinstance(log, tuple) else []
    return "\n".join([*lines, _conclusion(found)]) + "\n"


def render_checklist(found: Sequence[Diagnosis]) -> str:
    """Return a line for each item, and a last line that counts those that are open."""
    marks = {Gravity.NOTE: "ok", Gravity.ERROR: "open"}
    lines = [
        f"{marks.get(each.gravity, each.gravity)}: {plain(each.place)}: "
        f"{'; '.join(filter(None, diagnosis_texts(each)))}"
        for each in found
    ]
    errors = count_of(found, Gravity.ERROR)
    ready = "ready: every item holds" if not errors else f"not ready: {counted(errors, 'item')} open"
    return "\n".join([*lines, ready]) + "\n"


def render_live_summary(found: Sequence[Diagnosis]) -> str:
    """Return what was tried on GitHub as Markdown: a row for each step."""
    errors = count_of(found, Gravity.ERROR)
    outcome = f"{errors} of {counted(len(found), 'step')} failed" if errors else "every step works"
    head = [
        f"### sbir-gate self-check: {outcome}",
        "",
        "| step | result | details | fix |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *map(_live_row, found)]) + "\n"


def _live_row(found: Diagnosis) -> str:
    result = "failed" if found.gravity is Gravity.ERROR else "works"
    return f"| {found.place} | {result} | {' | '.join(map(escape_markdown, diagnosis_texts(found)))} |"


def render_check_json(found: Sequence[Diagnosis]) -> str:
    """Return what was found of an engine as one JSON object."""
    errors = count_of(found, Gravity.ERROR)
    document = {
        "is_kept": not errors,
        "errors": errors,
        "warnings": count_of(found, Gravity.WARNING),
        "checks": list(map(_entry, found)),
    }
    return json.dumps(document, indent=2) + "\n"


def _conclusion(found: Sequence[Diagnosis]) -> str:
    if not count_of(found, Gravity.ERROR):
        return "the engine keeps the contract"
    return f"the engine does not keep the contract: {_summary(found)}; see 'sbir-gate help engine-contract'"


def _entry(diagnosis: Diagnosis) -> dict[str, object]:
    problem, cure = diagnosis_texts(diagnosis)
    return {
        "gravity": diagnosis.gravity.value,
        "id": diagnosis.flaw.value,
        "place": diagnosis.place,
        "problem": problem,
        "cure": cure,
        "facts": dict(diagnosis.facts),
    }


def count_of(diagnoses: Sequence[Diagnosis], gravity: Gravity) -> int:
    """Return how many diagnoses are of this gravity."""
    return sum(diagnosis.gravity is gravity for diagnosis in diagnoses)


def _summary(diagnoses: Sequence[Diagnosis]) -> str:
    errors, warnings = (count_of(diagnoses, gravity) for gravity in (Gravity.ERROR, Gravity.WARNING))
    if not errors and not warnings:
        return "nothing is wrong with this set-up"
    return f"errors: {errors}, warnings: {warnings}"
