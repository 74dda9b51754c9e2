"""The first run of an engine: one value a Run, which shows what later runs no longer pay because it was kept.

One value says nothing of its own noise. So it counts only where it is longer than every other run of either
side by more than the noise among those explains, and after all that the kernel recorded as waiting for a
processor or a disk is taken off: reading programs from a cold disk is such waiting, filling a cache is not.
On a machine that is busy all the time nearly all of a run is such waiting; nothing is taken off where the
first run used more processor time than every other run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from sbir_gate.gate.comparing.calibration import BETWEEN_MACHINES_LOG_SD, is_calibrated, machine_effect
from sbir_gate.gate.comparing.limits import HOPELESS_TIMES
from sbir_gate.gate.comparing.paired import is_side_by_side
from sbir_gate.gate.comparing.ratios import Pair, Ratio
from sbir_gate.model.finding import Finding, LimitKind, Rule, Severity
from sbir_gate.model.run import Measurement, Repeats
from sbir_gate.model.samples import Sample
from sbir_gate.model.statistics import student_quantile
from sbir_gate.model.verdict import MetricLimit

# how sure it must be that the noise among the other runs does not explain the first one, one-sided
_PROBABILITY = 0.995
_LEAST_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class _Side:
    """The first run of a side, the least that it can have taken, and the times of the later ones.

    `least` is `first` where the kernel does not record waiting, and `is_excused` is False.
    """

    first: float
    least: float
    later: tuple[float, ...]
    is_excused: bool


@dataclass(frozen=True, slots=True)
class FirstRuns:
    """Both first runs; the reference's times are those that it would have taken on head's machine."""

    head: _Side
    reference: _Side
    ratio: Ratio
    margin: float | None
    can_fail: bool
    is_paired: bool

    def findings(self, limit: MetricLimit) -> tuple[Finding, ...]:
        """Return the breach of a relative limit, or a warning of what is kept between runs, or nothing."""
        if self.margin is None or self.ratio.value is None:
            return ()
        if not self.is_paired:
            return self._apart(limit)
        if self.ratio.is_significant and self.ratio.judged_delta >= limit.smallest_change:
            percent = (self.ratio.value - 1) * 100
            for severity, bound in ((Severity.FAIL, limit.fail_percent), (Severity.WARN, limit.warn_percent)):
                if bound is not None and percent > bound:
                    return (self._slower(severity if self.can_fail else Severity.WARN, limit, bound),)
        if self._keeps_more(limit):
            return (self._finding(Rule.RESULTS_KEPT, Severity.WARN, limit),)
        return ()

    def _apart(self, limit: MetricLimit) -> tuple[Finding, ...]:
        """Return the breach of Runs that were measured apart: only a first run beyond all proportion counts.

        The first run in a new environment compiles what it imports, and that of the other Run may not have.
        """
        percent, bound = ((self.ratio.value or 1.0) - 1) * 100, limit.fail_percent
        is_large = self.ratio.is_significant and self.ratio.judged_delta >= limit.smallest_change
        if bound is None or not is_large or percent <= HOPELESS_TIMES * bound:
            return ()
        return (self._slower(Severity.FAIL if self.can_fail else Severity.WARN, limit, bound),)

    def _keeps_more(self, limit: MetricLimit) -> bool:
        """Say whether head's later runs are spared something that those of the reference are not."""
        head, reference = self.head, self.reference
        if self.margin is None or not reference.later or limit.fail_percent is None:
            return False
        is_long = math.log(head.least / max(head.later)) > self.margin
        saved = head.least - median(head.later)
        more = (head.least / median(head.later)) / (reference.first / median(reference.later))
        return is_long and saved >= limit.smallest_change and more > 1 + limit.fail_percent / 100

    def _slower(self, severity: Severity, limit: MetricLimit, bound: float) -> Finding:
        kind = LimitKind.FAIL if severity is Severity.FAIL else LimitKind.WARN
        found = self._finding(Rule.FIRST_RUN_SLOWER, severity, limit)
        return replace(found, limit=bound, limit_kind=kind, reference=self.reference.first)

    def _finding(self, rule: Rule, severity: Severity, limit: MetricLimit) -> Finding:
        return Finding(
            rule,
            severity,
            metric=limit.name,
            unit=limit.unit,
            measured=self.head.first,
            ratio=self.ratio.value,
            facts={"change": self.ratio.judged_delta, "later": median(self.head.later)},
        )


def first_runs(pair: Pair, head: Measurement, reference: Measurement) -> FirstRuns:
    """Return what is known of the first runs of both sides."""
    is_paired = is_side_by_side(head, reference)
    is_between = not is_paired and is_calibrated(pair.name, head, reference)
    effect = machine_effect(pair.name, head, reference) if is_between else None
    factor = math.exp(effect.value) if effect is not None else 1.0
    mine = _side(head.repeats, pair.head[0], 1.0)
    other = _side(reference.repeats, pair.reference[0], factor)
    margin = None
    if mine.first > 0 < other.first and mine.later and (effect is not None or not is_between):
        margin = _margin(mine.later, other.later, BETWEEN_MACHINES_LOG_SD if is_between else 0.0)
    if not is_between and _has_computed_more(head.repeats, reference.repeats):
        mine = replace(mine, least=mine.first)
    is_longest = margin is not None and (
        math.log(mine.least / max(other.first, *other.later, *mine.later)) > margin
    )
    value = mine.first / other.first if other.first > 0 else None
    delta = mine.first - other.first
    raw = pair.head[0] / pair.reference[0] if pair.reference[0] > 0 else None
    ratio = Ratio(value, None, None, raw, delta, delta, is_longest, is_calibrated=is_between)
    can_fail = mine.is_excused or (is_paired and head.repeats.first_run is not None)
    return FirstRuns(mine, other, ratio, margin, can_fail, is_paired)


def _side(repeats: Repeats, first: float, factor: float) -> _Side:
    opening, samples = _runs_of(repeats)
    later = tuple(sample.wall_seconds * factor for sample in samples if sample.wall_seconds > 0)
    share = _waiting_share(opening) if opening is not None else None
    least = first * max(1 - (share or 0.0), _LEAST_SHARE)
    return _Side(first * factor, least * factor, later, is_excused=share is not None)


def _runs_of(repeats: Repeats) -> tuple[Sample | None, Sequence[Sample]]:
    """Return the first run and the later ones."""
    if repeats.first_run is not None:
        return repeats.first_run, repeats.samples
    return next(iter(repeats.samples), None), repeats.samples[1:]


def _has_computed_more(head: Repeats, reference: Repeats) -> bool:
    """Say whether head's first run used more processor time than every other run, beyond their noise.

    Waiting for a processor is not in it, so that holds on a busy machine too.
    """
    (mine, mine_later), (other, other_later) = _runs_of(head), _runs_of(reference)
    if mine is None or other is None:
        return False
    later = [[sample.cpu_seconds for sample in side] for side in (mine_later, other_later)]
    most = max(other.cpu_seconds, *later[0], *later[1], 0.0)
    if min(mine.cpu_seconds, most, *later[0], *later[1]) <= 0:
        return False
    margin = _margin(later[0], later[1], 0.0)
    return margin is not None and math.log(mine.cpu_seconds / most) > margin


def _waiting_share(sample: Sample) -> float | None:
    """Return the share of a run in which some task waited; None where the kernel does not record it."""
    if sample.cpu_wait_seconds is None or sample.io_wait_seconds is None or sample.wall_seconds <= 0:
        return None
    return (sample.cpu_wait_seconds + sample.io_wait_seconds) / sample.wall_seconds


def _margin(head: Sequence[float], reference: Sequence[float], extra_sd: float) -> float | None:
    """Return by how much, on logs, noise alone may lift one run above the others; None if it is not known."""
    squares, freedom = 0.0, 0
    for values in (head, reference):
        logs = [math.log(value) for value in values]
        if len(logs) > 1:
            mean = math.fsum(logs) / len(logs)
            squares += math.fsum((log - mean) ** 2 for log in logs)
            freedom += len(logs) - 1
    if freedom == 0:
        return None
    return student_quantile(_PROBABILITY, freedom) * math.hypot(math.sqrt(squares / freedom), extra_sd)
