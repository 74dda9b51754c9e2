"""The messages of findings: one text for each rule, with what it means and the fix, from one catalogue.

`text(finding)` is the sentence, `fix(finding)` what to do about it, and `catalogue()` has all entries.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Formatter

from sbir_gate.gate.reporting.awards_view import WORSENED_TEXTS
from sbir_gate.gate.reporting.metric_names import metric_name
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quality_words import DIMENSIONS, value_name
from sbir_gate.gate.reporting.quantities import (
    MINUS,
    counted,
    p_value_text,
    percent_text,
    plain_quantity,
    quantities,
    quantity,
)
from sbir_gate.model.diagnosis import Diagnosis
from sbir_gate.model.effects import Effect
from sbir_gate.model.finding import ABSOLUTE, Excuse, Fact, Finding, LimitKind, OnFixture, Rule, Severity
from sbir_gate.model.quality_report import Dimension
from sbir_gate.model.verdict import Limit
from sbir_gate.model.waiver import AWARDS, FIXTURE_EDIT, Waiver

_MOST_NAMED = 5
_COMMIT_CHARACTERS = 12
_ID_CHARACTERS = 80
_UNKNOWN = "?"

# their limits are changes in percent
_SIGNED = frozenset({LimitKind.WARN, LimitKind.FAIL})
_UNLABELLED = frozenset({Effect.LOST, Effect.RELINKED})


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the catalogue; `headline` is a shorter text, where the text is too long for a headline.

    What the doctor finds has no `meaning`: its text says it all.
    """

    text: str
    fix: str
    meaning: str = ""
    headline: str = ""


@cache
def catalogue(table: str = "message") -> Mapping[str, Message]:
    """Return the entries by the ids of their rules, or of the flaws that the doctor finds (`diagnosis`)."""
    return {name: Message(**entry) for name, entry in _document()[table].items()}


@cache
def _document() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    content = files("sbir_gate.gate.reporting").joinpath("messages.toml").read_text(encoding="utf-8")
    return tomllib.loads(content)


def _clauses() -> Mapping[str, str]:
    clauses: Mapping[str, object] = _document()["clause"]
    return {name: str(text) for name, text in clauses.items()}


def fix(finding: Finding) -> str:
    """Return what to do about it: its own hint where it has one, else that of its rule."""
    hint = finding.facts.get("hint")
    return plain(hint) if isinstance(hint, str) and hint else catalogue()[finding.rule].fix


def text(finding: Finding) -> str:
    """Return the message: one line, in which text from data has no control characters."""
    values = _values(finding)
    said = _filled(catalogue()[finding.rule].text, values)
    for name in _clauses_of(finding):
        said = _filled(_clauses()[name], {**values, "text": said})
    return said


def short_text(finding: Finding) -> str:
    """Return the message as a headline has it, without what follows from it."""
    template = catalogue()[finding.rule].headline
    return _filled(template, _values(finding)) if template else text(finding)


def diagnosis_texts(diagnosis: Diagnosis) -> tuple[str, str]:
    """Return what is wrong, and the fix."""
    entry = catalogue("diagnosis")[diagnosis.flaw]
    values = {name: _harmless(fact) for name, fact in diagnosis.facts.items()}
    return _filled(entry.text, values), _filled(entry.fix, values)


def texts(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return the message of each finding."""
    return tuple(map(text, findings))


def limit_text(limit: Limit) -> str:
    """Return a limit as text: "fail 25%", "maximum 500 (warn)"."""
    if limit.kind in _SIGNED:
        return f"{limit.kind} {percent_text(limit.value)}"
    softness = "" if limit.severity is Severity.FAIL else f" ({limit.severity})"
    return f"{limit.kind} {plain_quantity(limit.value, '')}{softness}"


def waiver_cap(waiver: Waiver) -> str:
    """Return how far a waiver reaches: "40%", "12 awards" or "12 rows"."""
    noun = {AWARDS: "award", FIXTURE_EDIT: "row"}.get(waiver.metric)
    return counted(int(waiver.limit), noun) if noun else percent_text(waiver.limit)


class _Filling(Formatter):
    """Fills in a text: `{count:award|awards}` counts, `{name:12}` cuts, `{kind:doubt-}` looks up clauses."""

    def __init__(self, values: Mapping[str, Fact]) -> None:
        self._values = values

    def get_value(self, key: int | str, args: object, kwargs: object) -> object:  # noqa: ARG002 -- of Formatter
        """Return what is filled in; a saved finding may lack it."""
        return self._values.get(str(key), _UNKNOWN)

    def format_field(self, value: object, format_spec: str) -> str:
        """Return a value as its specification says."""
        if format_spec.endswith("-"):
            names = value if isinstance(value, tuple) else (value,)
            clauses = (_clauses().get(f"{format_spec}{name}", _UNKNOWN) for name in names)
            return ", or ".join(self.vformat(clause, (), self._values) for clause in clauses)
        if "|" in format_spec and isinstance(value, int | float):
            return counted(int(value), *format_spec.split("|"))
        if format_spec.isdigit():
            return str(value)[: int(format_spec)]
        return _shown(value)


def _filled(template: str, values: Mapping[str, Fact]) -> str:
    return _Filling(values).vformat(template, (), values)


def _shown(value: object) -> str:
    if isinstance(value, int | float):
        return plain_quantity(float(value), "count")
    if isinstance(value, tuple):
        more = f" and {len(value) - _MOST_NAMED} more" if len(value) > _MOST_NAMED else ""
        return ", ".join(map(str, value[:_MOST_NAMED])) + more
    return str(value)


# the clauses that a fact wraps a message in, the innermost first
_FACT_CLAUSES = {
    "examples": "examples",
    "recipient_ids": "unknown-recipients",
    "ids_are_floats": "float-ids",
    "ids_are_padded": "padded-ids",
    "is_own_baseline": "own-baseline",
    "in_partitions": "in-partitions",
}
_FIXTURE_CLAUSES = {OnFixture.BASE: "on-base", OnFixture.OWN: "on-own"}


def _clauses_of(finding: Finding) -> Iterator[str]:
    """Yield the clauses that a message is wrapped in, the innermost first."""
    facts = finding.facts
    if finding.excuse is Excuse.ALREADY_SO:
        yield "already-so"
    if finding.metric == "rows_unknown" and finding.award_ids:
        yield "unknown-awards"
    yield from (clause for name, clause in _FACT_CLAUSES.items() if facts.get(name))
    if finding.waiver is not None and finding.is_deciding:
        yield "waived" if finding.severity is not Severity.FAIL else "waiver-too-small"
    if finding.fixture is not None:
        yield _FIXTURE_CLAUSES[finding.fixture]


def _values(finding: Finding) -> Mapping[str, Fact]:
    """Return everything that the text of a finding may name, ready to be printed."""
    values: dict[str, Fact] = {name: _harmless(fact) for name, fact in finding.facts.items()}
    values |= {"metric": metric_name(finding.metric), "key": plain(finding.metric)}
    values |= _figures(finding)
    values |= _doubt_values(finding)
    ids = finding.award_ids or finding.facts.get("recipient_ids", ())
    if isinstance(ids, tuple) and ids:
        # what cannot be seen is escaped: it is often what is wrong
        values["ids"] = ", ".join(repr(id_[:_ID_CHARACTERS]) for id_ in ids)
        values["is"] = "is" if len(ids) == 1 else "are"
    if finding.waiver is not None:
        waiver = finding.waiver
        values |= {
            "waiver_cap": waiver_cap(waiver),
            "waiver_former_name": plain(waiver.former_name),
            "waiver_expires": waiver.expires.isoformat(),
            "waiver_owner": plain(waiver.owner),
            "waiver_origin": plain(waiver.origin),
        }
    composed = _COMPOSED.get(finding.rule)
    return {**values, **composed(finding, values)} if composed is not None else values


def _harmless(fact: Fact) -> Fact:
    if isinstance(fact, str):
        return plain(fact)
    return tuple(map(plain, fact)) if isinstance(fact, tuple) else fact


def _figures(finding: Finding) -> Mapping[str, Fact]:
    """Return measured value, limit, change and both values, with enough digits to tell them apart."""
    unit, measured, limit = plain(finding.unit), finding.measured, finding.limit
    change = finding.facts.get("change")
    values: dict[str, Fact] = {}
    if limit is not None:
        values["limit"] = plain_quantity(limit, unit)
        if finding.limit_kind in _SIGNED:
            sign = {True: "+", False: MINUS}.get(change > 0) if isinstance(change, int | float) else ""
            values["limit"] = f"{sign}{percent_text(limit)}"
    if measured is None:
        return values
    values["measured"] = quantity(measured, unit, limit if finding.limit_kind in ABSOLUTE else None)
    if finding.reference is None:
        return values
    values["values"] = _both_values(finding, quantities(finding.reference, measured, unit))
    values["change"] = _change_text(finding, change) if isinstance(change, int | float) else ""
    return values


def _change_text(finding: Finding, change: float) -> str:
    verb = "rose" if change > 0 else "fell"
    if finding.ratio is None:
        return verb
    said = f"{verb} {percent_text((finding.ratio - 1) * 100, finding.limit)}"
    medians = finding.facts.get("medians_change")
    if not isinstance(medians, int | float):
        return said
    clause = "by-pairs"
    if medians * change <= 0:
        clause = "medians-fell" if medians < 0 else "medians-rose" if medians > 0 else "medians-same"
    return f"{said}{_clauses()[clause]}"


def _both_values(finding: Finding, values: str) -> str:
    facts = finding.facts
    left = facts.get("worsened_value")
    if finding.excuse is Excuse.PARTLY_HARMLESS and isinstance(left, int | float):
        counted_values = quantities(finding.reference, left, plain(finding.unit))
        values = _filled(_clauses()["as-counted"], {"values": values, "counted": counted_values})
    if facts.get("is_calibrated"):
        values = _filled(_clauses()["as-measured"], {"values": values})
    if "pairs" in facts and finding.ratio is not None:
        clause = "medians-of-pairs" if facts["pairs"] else "medians"
        values = _filled(_clauses()[clause], {"values": values, "pairs": facts["pairs"]})
    return values


def _doubt_values(finding: Finding) -> Mapping[str, Fact]:
    """Return why nothing was shown, what would have been, and what would decide."""
    facts = finding.facts
    if "doubt" not in facts:
        return {}
    values: dict[str, Fact] = dict(facts)
    for name in ("smallest_percent", "warn_percent"):
        if name in facts:
            values[name] = _percent_text(facts[name])
    said = _filled(_clauses().get(f"doubt-{facts['doubt']}", _UNKNOWN), values)
    for name, clause in _AFTER_DOUBT.items():
        if name in facts:
            said += _filled(_clauses()[clause], values)
    return {"doubt": f"but {said}" if facts.get("is_beyond") else f"and {said}"}


_AFTER_DOUBT = {
    "smallest_percent": "smallest",
    "more_pairs": "more-pairs",
    "more_repeats": "more-repeats",
    "needs_pairs": "needs-pairs",
}


def _percent_text(value: Fact) -> str:
    return percent_text(value) if isinstance(value, int | float) else str(value)


def _worsened_values(finding: Finding, _values: Mapping[str, Fact]) -> Mapping[str, Fact]:
    """Return how awards worsened, wrong links first: "3 awards got a wrong link, 2 lost a correct link"."""
    facts = finding.facts
    parts: list[str] = []
    for effect, (singular, plural) in WORSENED_TEXTS.items():
        count = _count(facts.get(effect.value, 0))
        if not count:
            continue
        label = "unlabelled " if facts.get("has_truth") and effect in _UNLABELLED else ""
        award = f" {label}{'award' if count == 1 else 'awards'}" if label or not parts else ""
        parts.append(f"{count:,}{award} {singular if count == 1 else plural}")
    total = int(finding.measured or 0)
    said = ", ".join(parts) + (f": {counted(total, 'award')} worsened" if len(parts) > 1 else "")
    balance = ""
    p_value = facts.get("mcnemar_p")
    if isinstance(p_value, int | float):
        balance = _filled(_clauses()["balance-chance"], {**facts, "mcnemar_p": p_value_text(p_value)})
    elif finding.severity is Severity.WARN and finding.waiver is None:
        balance = _filled(_clauses()["balance"], facts)
    return {"worsened": said, "limit": plain_quantity(finding.limit or 0.0, "count"), "balance": balance}


def _count(fact: Fact) -> int:
    return int(fact) if isinstance(fact, int | float) else 0


def _harm_values(finding: Finding, values: Mapping[str, Fact]) -> Mapping[str, Fact]:
    left = finding.facts.get("worsened_value")
    if not isinstance(left, int | float) or finding.reference is None:
        return {"harm": _clauses()["harm-none"]}
    counted_values = quantities(finding.reference, left, plain(finding.unit))
    return {"harm": _filled(_clauses()["harm-less"], {**values, "values": counted_values})}


def _drift_values(finding: Finding, values: Mapping[str, Fact]) -> Mapping[str, Fact]:
    commit = str(values.get("reference_commit", ""))[:_COMMIT_CHARACTERS]
    started = str(values.get("reference_started_at", ""))
    place = f"{started}, commit {commit}" if commit else started
    clause = "against-release" if finding.facts.get("tag") else "against-oldest"
    began = _filled(_clauses()["began"], values) if "began_at" in values else ""
    return {"against": _filled(_clauses()[clause], {**values, "place": place}), "began": began}


def _blindness_values(finding: Finding, values: Mapping[str, Fact]) -> Mapping[str, Fact]:
    if "reach_percent" not in finding.facts:
        return {"blindness": _clauses()["no-interval"]}
    reach = {**values, "reach_percent": _percent_text(finding.facts["reach_percent"])}
    return {"blindness": _filled(_clauses()["reach"], reach)}


def _unjudged_values(_finding: Finding, values: Mapping[str, Fact]) -> Mapping[str, Fact]:
    return {"text": values.get("text", _clauses()["no-run-there"])}


def _noise_values(finding: Finding, _values: Mapping[str, Fact]) -> Mapping[str, Fact]:
    known = (
        f"{metric_name(name)} {percent_text(100 * spread)}"
        for name, spread in finding.facts.items()
        if isinstance(spread, int | float)
    )
    return {"spreads": ", ".join(known)}


def _later_values(finding: Finding, _values: Mapping[str, Fact]) -> Mapping[str, Fact]:
    later = finding.facts.get("later")
    return {"later": quantity(later, plain(finding.unit)) if isinstance(later, int | float) else ""}


def _redefined_values(_finding: Finding, values: Mapping[str, Fact]) -> Mapping[str, Fact]:
    names = values.get("names")
    return {"names": tuple(map(metric_name, names))} if isinstance(names, tuple) else {}


def _segment_values(_finding: Finding, values: Mapping[str, Fact]) -> Mapping[str, Fact]:
    """Return what reports call the segment, where they know its dimension."""
    dimension, value = values.get("dimension"), str(values.get("value", ""))
    if dimension not in tuple(Dimension):
        return {}
    known = Dimension(str(dimension))
    name = value if known is Dimension.PHASE else value_name(known, value)
    return {"dimension": DIMENSIONS[known], "value": name}


_COMPOSED: Mapping[Rule, Callable[[Finding, Mapping[str, Fact]], Mapping[str, Fact]]] = {
    Rule.AWARDS_WORSENED: _worsened_values,
    Rule.SEGMENT_GONE: _segment_values,
    Rule.SEGMENT_UNLINKED: _segment_values,
    Rule.HARMLESS: _harm_values,
    Rule.DRIFT: _drift_values,
    Rule.DRIFT_REDEFINED: _redefined_values,
    Rule.BLIND_SPOT: _blindness_values,
    Rule.FIXTURE_EDIT_UNJUDGED: _unjudged_values,
    Rule.KNOWN_NOISE: _noise_values,
    Rule.FIRST_RUN_SLOWER: _later_values,
    Rule.RESULTS_KEPT: _later_values,
}
