"""Two Runs that were measured side by side: each repeat of head beside its own repeat of the reference.

Both sides of a pair met the same machine within seconds, so what slows the machine cancels out, and
nothing has to be calibrated. Pair by pair the order is turned round (head first, reference first, ...):
a machine that grows slower adds to one difference what it takes from the next.
"""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import median

from sbir_gate.gate.comparing.ratios import Doubt, Pair, Ratio, doubtful_ratio, too_few_repeats
from sbir_gate.gate.comparing.signed_ranks import pseudo_median_interval
from sbir_gate.model.run import Measurement
from sbir_gate.model.statistics import FEWEST_REPEATS, half_width


def is_side_by_side(head: Measurement, reference: Measurement) -> bool:
    """Say whether sample i of the one Run is the pair of sample i of the other.

    What the history keeps of a Run is the pair of nothing. Runs of one session that name different machines
    contradict themselves: they are compared as any two Runs are. So are those of one session on different
    fixtures.
    """
    return (
        head.repeats.session == reference.repeats.session != ""
        and head.machine.fingerprint == reference.machine.fingerprint
        and head.fixture.fingerprint == reference.fixture.fingerprint
    )


def paired_ratio(pair: Pair) -> Ratio:
    """Return the ratio of a noisy metric of two Runs side by side, from its pairs alone.

    The estimate is the pseudo-median of the log-ratios of the pairs. Values at or below 0 have no
    logarithm; there the differences of the pairs are judged in the same way.
    """
    if len(pair.head) != len(pair.reference):
        return _doubtful(pair, Doubt.UNPAIRED)
    if too_few_repeats(pair):
        return _doubtful(pair, Doubt.ONE_PAIR)
    if min(*pair.head, *pair.reference) <= 0:
        return _about_zero(pair)
    heads, references = [math.log(v) for v in pair.head], [math.log(v) for v in pair.reference]
    found = pseudo_median_interval([head - ref for head, ref in zip(heads, references, strict=True)])
    value = math.exp(found.value)
    return Ratio(
        value,
        math.exp(found.low),
        math.exp(found.high),
        raw=value,
        delta=median(pair.head) - median(pair.reference),
        judged_delta=median(pair.reference) * (value - 1),
        is_significant=not found.covers(0.0),
        repeats=len(pair.head),
        noise_floor_log=_noise_floor(heads, references),
        is_paired=True,
    )


def least_ratios(metric: str, head: Measurement, reference: Measurement) -> tuple[float, ...]:
    """Return the least ratio that each pair, and the first runs, can show of a time; none of other metrics.

    All the time for which head's run may have waited for a processor is taken off its wall time. Empty where
    the kernel does not record that, or the samples make no pairs.
    """
    now, before = head.repeats, reference.repeats
    if metric not in {"wall_seconds", "cpu_seconds"} or len(now.samples) != len(before.samples):
        return ()
    sides = list(zip(now.samples, before.samples, strict=True))
    if now.first_run is not None and before.first_run is not None:
        sides.append((now.first_run, before.first_run))
    ratios = []
    for mine, other in sides:
        waited = 0.0 if metric == "cpu_seconds" else mine.cpu_wait_seconds
        base = other.cpu_seconds if metric == "cpu_seconds" else other.wall_seconds
        least = mine.cpu_seconds if metric == "cpu_seconds" else mine.wall_seconds
        if waited is None or base <= 0:
            return ()
        ratios.append(max(least - waited, 0.0) / base)
    return tuple(ratios)


def _doubtful(pair: Pair, doubt: Doubt) -> Ratio:
    return replace(doubtful_ratio(pair, doubt), is_paired=True)


def _about_zero(pair: Pair) -> Ratio:
    found = pseudo_median_interval([head - ref for head, ref in zip(pair.head, pair.reference, strict=True)])
    scale = median(pair.reference)
    value, low, high = (
        (1 + found.value / scale, 1 + found.low / scale, 1 + found.high / scale)
        if scale > 0
        else (None, None, None)
    )
    return Ratio(
        value,
        low,
        high,
        raw=value,
        delta=median(pair.head) - median(pair.reference),
        judged_delta=found.value,
        is_significant=not found.covers(0.0),
        repeats=len(pair.head),
        is_paired=True,
    )


def _noise_floor(heads: list[float], references: list[float]) -> float:
    """Return how wide the interval of as many pairs of the same code would be, to one side, on logs.

    In the order head, reference, reference, head, head, reference, ... two repeats of one side follow
    each other at every change of pair: the reference's first and second, head's second and third, and
    so on. They are pairs of the same code (A/A pairs), none of them has a repeat of another, and there
    is one fewer than there are pairs.
    """
    sides = (references, heads)
    same = [sides[at % 2][at + 1] - sides[at % 2][at] for at in range(len(heads) - 1)]
    if len(same) < FEWEST_REPEATS:
        return 0.0
    return half_width(pseudo_median_interval(same)) * math.sqrt(len(same) / len(heads))
