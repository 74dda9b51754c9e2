"""What got better, in one line: awards corrected, precision won, time and work saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sbir_gate.gate.reporting.metric_names import metric_name
from sbir_gate.gate.reporting.quantities import counted, difference, signed_percent
from sbir_gate.model.effects import Effect
from sbir_gate.model.finding import Excuse
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Change, Direction, Outcome, Verdict

# a verdict without a comparison, or that must not be softened by what else became better
_SILENT = frozenset({Outcome.FAIL, Outcome.INCOMPARABLE, Outcome.ERROR, Outcome.NO_BASELINE})

# one, several; a link that is gained without a label may be wrong and is not an improvement
_AWARDS: Mapping[Effect, tuple[str, str]] = MappingProxyType(
    {
        Effect.CORRECTED: ("award corrected", "awards corrected"),
        Effect.GAINED_CORRECT: ("correct link gained", "correct links gained"),
        Effect.WRONG_DROPPED: ("incorrect link dropped", "incorrect links dropped"),
    }
)
_RATES = ("precision", "recall")
_COSTS: Mapping[str, str] = MappingProxyType({"wall_seconds": "time", "peak_rss_mib": "memory"})
_WORK = "work/"

# smaller savings are not news, even if significant
_LEAST_SAVED = 0.05
_LEAST_RATE = 0.0005
_MOST_COUNTERS = 2


def improvement_line(verdict: Verdict) -> str:
    """Return what improved, or what changed without harm, with a label for which; empty if neither."""
    better, as_good = improvement_words(verdict), harmless_words(verdict)
    return f"Better: {better}" if better else f"As good: {as_good}" if as_good else ""


def harmless_words(verdict: Verdict) -> str:
    """Return how many links another method makes, where a figure fell by that and no award is worse off."""
    moved = sum(move.links for move in verdict.records.moves)
    is_harmless = verdict.outcome not in _SILENT and not verdict.records.worsened
    if moved and is_harmless and any(change.excuse is Excuse.HARMLESS for change in verdict.changes):
        return f"{counted(moved, 'link')} made by another method, 0 awards worse"
    return ""


def gain_words(verdict: Verdict) -> str:
    """Return what a headline adds for links that no label speaks for or against; empty if none was gained."""
    gained = verdict.records.effects.get(Effect.GAINED, 0)
    if not gained or verdict.outcome in _SILENT:
        return ""
    if gained == 1:
        return "; 1 link gained on an award without a label"
    return f"; {gained:,} links gained on awards without a label"


def improvement_words(verdict: Verdict) -> str:
    """Return what got better, empty if nothing did or if the verdict is none to be glad of."""
    if verdict.outcome in _SILENT:
        return ""
    changes = {change.metric: change for change in verdict.changes}
    awards = ", ".join(_award_words(verdict))
    savings = ", ".join(_savings(changes))
    rates = ", ".join(_rate_words(changes, is_shown=bool(awards)))
    return "; ".join(part for part in (awards, rates, savings) if part)


def _award_words(verdict: Verdict) -> Iterator[str]:
    effects = verdict.records.effects
    found = {effect: effects[effect] for effect in _AWARDS if effect in effects}
    for effect, count in found.items():
        yield f"{count:,} {_AWARDS[effect][count != 1]}"
    if found:
        yield f"{verdict.records.worsened:,} worse"


def _rate_words(changes: Mapping[str, Change], *, is_shown: bool) -> Iterator[str]:
    deltas = {name: changes[name].delta or 0.0 for name in _RATES if name in changes}
    if is_shown or any(delta >= _LEAST_RATE for delta in deltas.values()):
        for name, delta in deltas.items():
            if abs(delta) >= _LEAST_RATE:
                yield f"{name} {difference(delta, 'ratio')}"


def _savings(changes: Mapping[str, Change]) -> Iterator[str]:
    for name, words in _COSTS.items():
        if name in changes and _is_saved(changes[name]):
            yield f"{words} {_percent(changes[name])}"
    counters = [
        change
        for name, change in changes.items()
        if name.startswith(_WORK)
        and change.kind is MetricKind.EXACT
        and change.direction is Direction.LOWER_IS_BETTER
        and _is_saved(change)
    ]
    for change in sorted(counters, key=lambda change: change.ratio or 0.0)[:_MOST_COUNTERS]:
        yield f"{metric_name(change.metric).lower()} {_percent(change)}"


def _is_saved(change: Change) -> bool:
    return change.is_significant and change.ratio is not None and change.ratio <= 1 - _LEAST_SAVED


def _percent(change: Change) -> str:
    return signed_percent(change.ratio or 0.0)
