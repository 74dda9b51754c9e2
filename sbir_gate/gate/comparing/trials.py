"""What the gate makes of measured pairs, run again and again on parts of them, and what that advises.

The pairs are judged by the functions that judge every run beside its base, at the same planned looks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from statistics import fmean

from sbir_gate.gate.comparing.changes import compare_metrics
from sbir_gate.gate.comparing.deciding import undecided
from sbir_gate.gate.comparing.sensitivity import FEWEST_TELLING_PAIRS
from sbir_gate.model.finding import Severity, worst
from sbir_gate.model.run import MetricKind, Run
from sbir_gate.model.trial import AdvisedSetting, Case, Ends, Found, GateRuns, Planted, Seen
from sbir_gate.model.verdict import Change, MetricLimit, Policy

DRAWS = 100
FOUND_SHARE = 0.9
"""A regression counts as found where at least this share of the drawn runs fails."""
QUIET_SHARE = 0.01
"""The settings that are advised let at most this share of the drawn runs fail unchanged code."""

# by what a handicap is seen, and the units of all that it may make worse
_METRICS = {Planted.TIME: "wall_seconds", Planted.MEMORY: "peak_rss_mib"}
_UNITS = {Planted.TIME: frozenset({"s", "1/s"}), Planted.MEMORY: frozenset({"MiB"})}
_LIMITED = {Planted.TIME: ("wall_seconds", "cpu_seconds"), Planted.MEMORY: ("peak_rss_mib",)}
# a head that is twice as slow takes so much longer for a pair
_SLOW_HEAD = 1.5
_MOST_PAIRS = 40  # more are not advised: a limit above the noise is worth more
_STEP_SECONDS = 10
_STEP_PERCENT = 5
_WARN_SHARE = 0.4  # of the fail limit, as the defaults have it

Looks = Callable[[int], tuple[int, ...]]
"""Returns after how many pairs it is looked whether a run of at most this number is decided."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Pairs of one session, to draw from.

    Where both sides are the same code, `is_unchanged`, they may also be exchanged within a pair.
    `other_seconds` is what a run takes beside its pairs, warm-ups included.
    """

    head: Run
    base: Run
    policy: Policy
    is_unchanged: bool
    pair_seconds: float
    other_seconds: float

    @property
    def pairs(self) -> int:
        """The number of pairs."""
        return len(self.head.samples)


@dataclass(frozen=True, slots=True)
class _End:
    """How one run of the gate ended: after how many pairs, and the most severe of time and of memory."""

    pairs: int
    severities: Mapping[Planted, Severity]


def pool_of(
    head: Run, base: Run, policy: Policy, *, is_unchanged: bool, seconds: tuple[float, float]
) -> Pool:
    """Return the pool of two Runs side by side: of their metrics only those that noise blurs, with a limit.

    `seconds` are those of a pair, and those beside the pairs.
    """
    limits = policy.limits_on(metric.name for metric in (*head.metrics, *base.metrics))
    noisy = tuple(limit for limit in limits if limit.kind is MetricKind.NOISY)
    names = {limit.name for limit in noisy}

    def reduced(run: Run) -> Run:
        return replace(run, awards=(), metrics=tuple(each for each in run.metrics if each.name in names))

    return Pool(reduced(head), reduced(base), replace(policy, limits=noisy), is_unchanged, *seconds)


def estimated_percent(pool: Pool, planted: Planted) -> float | None:
    """Return by how many percent head is worse by all pairs; None where it is not measured."""
    change = _change(pool, range(pool.pairs), planted)
    return None if change is None or change.ratio is None else (change.ratio - 1) * 100


def gate_runs(pool: Pool, counts: Iterable[int], looks: Looks, seed: int) -> Iterator[GateRuns]:
    """Yield, for each number of pairs that was measured, how runs of the gate with at most that many end."""
    for count in counts:
        if not FEWEST_TELLING_PAIRS <= count <= pool.pairs:
            continue
        at = looks(count)
        blocks = (range(first, first + count) for first in range(0, pool.pairs - count + 1, count))
        separate = [_run(pool, at, block, frozenset()) for block in blocks]
        random = Random(f"{seed} {count}")  # noqa: S311 -- a draw that can be repeated, no secret
        drawn = [_drawn(pool, at, random) for _ in range(DRAWS)]
        used = fmean(end.pairs for end in drawn)
        time, memory = (
            Seen(_ends(separate, planted), _ends(drawn, planted), _least_percent(pool, range(count), planted))
            for planted in (Planted.TIME, Planted.MEMORY)
        )
        yield GateRuns(count, used, pool.other_seconds + used * pool.pair_seconds, time, memory)


def _drawn(pool: Pool, looks: Sequence[int], random: Random) -> _End:
    order = random.sample(range(pool.pairs), looks[-1])
    flips = frozenset(pair for pair in order if random.random() < 0.5) if pool.is_unchanged else frozenset()
    return _run(pool, looks, order, flips)


def _run(pool: Pool, looks: Sequence[int], order: Sequence[int], flips: frozenset[int]) -> _End:
    """Run the gate on pairs in this order, as `measuring.interleaving` does, until it is decided."""
    changes: tuple[Change, ...] = ()
    used = 0
    for used in looks:
        part = order[:used]
        head, base = _part(pool.head, pool.base, part, flips), _part(pool.base, pool.head, part, flips)
        changes = compare_metrics(head, base, pool.policy).changes
        if not undecided(changes, pool.policy):
            break
    severities = {
        planted: worst(change.severity for change in changes if change.unit in units)
        for planted, units in _UNITS.items()
    }
    return _End(used, severities)


def _part(run: Run, other: Run, order: Sequence[int], flips: frozenset[int]) -> Run:
    """Return a Run of these pairs, with the value of the other side where the sides are exchanged."""
    theirs = {metric.name: metric for metric in other.metrics}
    return replace(
        run,
        samples=tuple((other if at in flips else run).samples[at] for at in order),
        metrics=tuple(
            replace(
                metric,
                values=tuple((theirs[metric.name] if at in flips else metric).values[at] for at in order),
            )
            for metric in run.metrics
            if metric.name in theirs
        ),
    )


def _change(pool: Pool, order: Sequence[int], planted: Planted) -> Change | None:
    head, base = (
        _part(run, other, order, frozenset())
        for run, other in ((pool.head, pool.base), (pool.base, pool.head))
    )
    changes = compare_metrics(head, base, pool.policy).changes
    return next((change for change in changes if change.metric == _METRICS[planted]), None)


def _least_percent(pool: Pool, order: Sequence[int], planted: Planted) -> float | None:
    change = _change(pool, order, planted)
    return None if change is None or change.smallest_detectable is None else change.smallest_detectable * 100


def _ends(ends: Sequence[_End], planted: Planted) -> Ends:
    counts = Counter(end.severities[planted] for end in ends)
    return Ends(len(ends), counts[Severity.FAIL], counts[Severity.WARN], counts[Severity.INCONCLUSIVE])


def seen_at(case: Case, planted: Planted, pairs: int) -> Seen | None:
    """Return what runs with at most this number of pairs made of time or memory; None where not tried."""
    if planted is Planted.MEMORY and not case.has_memory:
        return None
    runs = next((each for each in case.runs if each.pairs == pairs), None)
    return None if runs is None else runs.time if planted is Planted.TIME else runs.memory


def smallest_found(cases: Iterable[Case], planted: Planted, pairs: int) -> float | None:
    """Return the smallest planted regression that the gate finds, as every larger one, in percent.

    None where it does not find the largest that was planted, or one of them does not have that many pairs.
    """
    found = None
    for case in sorted(_planted(cases, planted), key=lambda case: -case.percent):
        seen = seen_at(case, planted, pairs)
        if seen is None:
            return None
        if seen.drawn.failed < FOUND_SHARE * seen.drawn.runs:
            break
        found = case.percent
    return found


def _planted(cases: Iterable[Case], planted: Planted) -> list[Case]:
    return [case for case in cases if case.percent and (planted is Planted.TIME or case.has_memory)]


def all_found(cases: Sequence[Case]) -> tuple[Found, ...]:
    """Return the smallest regression found of time and of memory, for each number of pairs that all have."""
    return tuple(
        Found(planted, count, smallest_found(cases, planted, count))
        for planted in _METRICS
        for count in _counts_of_all(_planted(cases, planted))
    )


def _counts_of_all(cases: Sequence[Case]) -> list[int]:
    counts = [{runs.pairs for runs in case.runs} for case in cases]
    return sorted(set.intersection(*counts)) if counts else []


def advised_settings(
    cases: Sequence[Case], policy: Policy, now: Mapping[str, float]
) -> tuple[AdvisedSetting, ...]:
    """Return the settings for pairs, budget and limits; none before unchanged code was measured.

    As many pairs as are needed, and the time that they take where head is twice as slow. A limit is kept
    unless unchanged code breaks it, or no sensible number of pairs would show that it is broken.
    """
    unchanged = next((case for case in cases if case.percent == 0 and case.runs), None)
    if unchanged is None:
        return ()
    pairs = _pairs_needed(cases, unchanged, policy)
    seconds = unchanged.warm_up_seconds + pairs * unchanged.pair_seconds
    values = {
        "benchmark.min_pairs": float(FEWEST_TELLING_PAIRS),
        "benchmark.max_pairs": float(pairs),
        "benchmark.max_seconds": _rounded_up(seconds * _SLOW_HEAD, _STEP_SECONDS),
    }
    advised = [AdvisedSetting(key, value, now.get(key)) for key, value in values.items()]
    for planted in _LIMITED:
        advised += _advised_limits(unchanged, planted, pairs, policy)
    return tuple(advised)


def _pairs_needed(cases: Sequence[Case], unchanged: Case, policy: Policy) -> int:
    """Return the fewest pairs that find what the most find, quietly, and with noise below the time limit.

    Where the noise of all that were measured is above the limit, it is worked out how many more would do:
    noise falls with the square root of their number.
    """
    counts = [runs.pairs for runs in unchanged.runs]
    found = {pairs: smallest_found(cases, Planted.TIME, pairs) or math.inf for pairs in counts}
    limit = policy.limit_of(_METRICS[Planted.TIME])
    share = _noise_share(unchanged, Planted.TIME, counts[-1], limit)
    if share > 1:
        return min(math.ceil(counts[-1] * share**2), _MOST_PAIRS)
    enough = [
        pairs
        for pairs in counts
        if found[pairs] == min(found.values())
        and _is_quiet(unchanged, Planted.TIME, pairs)
        and _noise_share(unchanged, Planted.TIME, pairs, limit) <= 1
    ]
    return min(enough, default=counts[-1])


def _noise_share(unchanged: Case, planted: Planted, pairs: int, limit: MetricLimit | None) -> float:
    """Return the noise of this number of pairs as a share of the fail limit, on logarithms; 0 if unknown.

    Of more pairs than were measured it is worked out.
    """
    measured = max((runs.pairs for runs in unchanged.runs if runs.pairs <= pairs), default=0)
    seen = seen_at(unchanged, planted, measured)
    if limit is None or not limit.fail_percent or seen is None or seen.least_detectable_percent is None:
        return 0.0
    share = math.log1p(seen.least_detectable_percent / 100) / math.log1p(limit.fail_percent / 100)
    return share * math.sqrt(measured / pairs)


def _is_quiet(unchanged: Case, planted: Planted, pairs: int) -> bool:
    seen = seen_at(unchanged, planted, pairs)
    return seen is None or (not seen.separate.failed and seen.drawn.failed <= QUIET_SHARE * seen.drawn.runs)


def _advised_limits(
    unchanged: Case, planted: Planted, pairs: int, policy: Policy
) -> Iterator[AdvisedSetting]:
    for name in _LIMITED[planted]:
        limit = policy.limit_of(name)
        if limit is None or limit.fail_percent is None or not unchanged.runs:
            continue
        fail, warn = limit.fail_percent, limit.warn_percent
        share = _noise_share(unchanged, planted, pairs, limit)
        if share > 1 or not _is_quiet(unchanged, planted, pairs):
            fail = _rounded_up(_SLOW_HEAD * max(share, 1) * fail, _STEP_PERCENT)
            warn = None if warn is None else max(warn, _WARN_SHARE * fail)
        if warn is not None:
            yield AdvisedSetting(f"gate.metrics.{name}.warn_percent", warn, limit.warn_percent)
        yield AdvisedSetting(f"gate.metrics.{name}.fail_percent", fail, limit.fail_percent)


def _rounded_up(value: float, step: int) -> float:
    return float(step * math.ceil(value / step))
