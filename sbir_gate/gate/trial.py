"""A trial of the gate with an engine and a fixture: false alarms, and which planted regressions it finds.

It measures as `run --base` does, with the same functions: pairs of the engine and the same engine with a
handicap. No git is needed, no document is written, and no file of the user's is touched.
"""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from sbir_gate.errors import SbirGateError
from sbir_gate.gate.comparing.sensitivity import FEWEST_TELLING_PAIRS
from sbir_gate.gate.comparing.trials import advised_settings, all_found, estimated_percent, gate_runs, pool_of
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.enricher_plan import plan_of, sealed_files
from sbir_gate.gate.fixture import ReadFixture, read_fixture
from sbir_gate.gate.measuring import handicap
from sbir_gate.gate.measuring.benchmark import BenchmarkPlan, BenchmarkResult, run_benchmark
from sbir_gate.gate.measuring.interleaving import (
    BaseFailure,
    Budget,
    Side,
    planned_looks,
    run_side_by_side,
)
from sbir_gate.gate.measuring.seals import Seals
from sbir_gate.gate.planted_links import counts_of, plant_links, planter_of
from sbir_gate.gate.policy import Judgement, own_judgement
from sbir_gate.gate.run import run_of, wrong_input_explained
from sbir_gate.gate.storing.scratch import scratch_folder
from sbir_gate.model.companions import Companions
from sbir_gate.model.finding import Rule, Severity
from sbir_gate.model.run import Run, Timing, enricher_name
from sbir_gate.model.trial import Case, LeftOut, Omission, Planted, PlantedLinks, Trial
from sbir_gate.model.verdict import Verdict
from sbir_gate.settings.effective import EffectiveSettings

PAIRS = (5, 10, 20)
PERCENTS = (50.0, 25.0, 100.0, 10.0)
"""The handicaps, the most useful first: where time is short, the last ones are left out."""

_LEAST_SHARE_FREE = 0.5  # of the machine's memory, that no handicap may need
_LINKS_SHARE = 0.25  # of the budget, for planted links
_CALIBRATION_SECONDS = 0.2  # about what a pair takes beside its two runs
_STEP = 60  # seconds, to which a budget is rounded up
_ADVISED = ("min_pairs", "max_pairs", "max_seconds")

# what is done, the share of all that is done, and the seconds left
Progress = Callable[[str, float, float], None]


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """What is tried: the handicaps in percent, the seconds for all of it, and the seed of all draws.

    Without `plants_memory` the handicaps are of time alone.
    """

    budget_seconds: float
    seed: int
    percents: tuple[float, ...] = PERCENTS
    plants_memory: bool = True


def run_trial(
    effective: EffectiveSettings,
    edges: Edges,
    request: TrialRequest,
    progress: Progress,
    keep: Callable[[Trial], None],
) -> Trial:
    """Try the gate with the engine and the fixture of the settings, and return what was found.

    `keep` is given what is known so far where the trial is interrupted, or the engine breaks in between.
    Raises ConfigurationError and InputError for a command or fixture that cannot be used, EnricherError for
    an engine that breaks.
    """
    effective = _timed(effective)
    judgement = own_judgement(effective, has_baseline=False)
    started = edges.clock()
    with scratch_folder("sbir-gate-trial-") as scratch, edges.keep_code():
        progress("reading the fixture", 0.0, request.budget_seconds)
        read = read_fixture(effective, edges, lambda _text: None, scratch)
        plan = replace(plan_of(effective, read, scratch), logs=None, repeats=1, warmups=1)
        seals = Seals(lambda: sealed_files(effective, plan))
        session = _Session(
            effective, edges, request, progress, judgement, read, plan, seals, started, edges.new_session()
        )
        try:
            with wrong_input_explained(is_built_in=effective.settings.enricher.command is None):
                session.look_at_engine()
                session.plant_links()
                session.measure_cases()
            seals.check_at_the_end()
        except (KeyboardInterrupt, SbirGateError):
            if session.has_engine:
                keep(session.stopped())
            raise
        return session.trial()


def _timed(effective: EffectiveSettings) -> EffectiveSettings:
    benchmark = effective.settings.benchmark.model_copy(update={"is_timed": True})
    return replace(effective, settings=effective.settings.model_copy(update={"benchmark": benchmark}))


def with_handicap(plan: BenchmarkPlan, share: float, mib: float) -> BenchmarkPlan:
    """Return the plan of the same command, a share slower and with so much more memory."""
    runner = (sys.executable, "-I", "-S", handicap.__file__, repr(share), repr(mib))
    return replace(plan, command=shlex.join((*runner, *shlex.split(plan.command))))


@dataclass(slots=True)
class _Pairs:
    """The pairs of one handicap that were measured so far."""

    percent: float
    head: BenchmarkResult
    base: BenchmarkResult
    seconds: float


@dataclass(slots=True)
class _Session:
    """A trial in progress, and what it has found."""

    effective: EffectiveSettings
    edges: Edges
    request: TrialRequest
    progress: Progress
    judgement: Judgement
    read: ReadFixture
    plan: BenchmarkPlan
    seals: Seals
    started: float
    session: str
    engine_seconds: float = 0.0
    engine_mib: float = 0.0
    overhead_seconds: float = 0.0
    recorded: BenchmarkResult | None = None
    found_links: list[PlantedLinks] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    verdict: Verdict | None = None
    left_out: list[Omission] = field(default_factory=list)
    open: _Pairs | None = None
    pair_seconds: float = 0.0

    @property
    def has_engine(self) -> bool:
        """Say whether the engine has run."""
        return self.recorded is not None

    @property
    def spent_seconds(self) -> float:
        return self.edges.clock() - self.started

    @property
    def seconds_left(self) -> float:
        return self.request.budget_seconds - self.spent_seconds

    def look_at_engine(self) -> None:
        """Run the engine as it is: a warm-up, and once more to know its time, memory and links."""

        def report(repeat: int, _repeats: int) -> None:
            self._say("running the engine" if repeat else "warming up")

        before = self.spent_seconds
        edges = self.edges
        result = run_benchmark(
            self.plan, edges.launch, edges.calibrate, report, lambda: self.seals.check(Side.HEAD)
        )
        after = self.spent_seconds
        run = self._run(result, Timing.MEASURED)
        self.judgement.verdict(run, self.edges.now().date(), Companions(run))
        self.overhead_seconds = before + self.spent_seconds - after
        (sample,) = result.samples
        self.engine_seconds, self.engine_mib = sample.wall_seconds, sample.peak_rss_mib
        self.pair_seconds = 2 * self.engine_seconds + _CALIBRATION_SECONDS
        self.recorded = result

    def plant_links(self) -> None:
        """Judge the recorded links with more and more of them lost or swapped."""
        result = self.recorded
        if result is None:
            return
        base = self._run(result, Timing.QUICK)
        unchanged = self._failures(base, base)
        planter = planter_of(result, self.read, base)
        if planter is None:
            self.left_out.append(Omission(LeftOut.NO_LINKS))
            return
        until = self.spent_seconds + _LINKS_SHARE * self.seconds_left

        def is_caught(planted: BenchmarkResult) -> bool:
            self._say("planting lost and swapped links")
            return bool(self._failures(self._run(planted, Timing.QUICK), base) - unchanged)

        counts = counts_of(planter, self.judgement.rules.policy.max_lost)
        wanted = 2 * len(counts)
        for found in plant_links(
            planter, counts, is_caught, self.request.seed, lambda: self.spent_seconds < until
        ):
            self.found_links.append(found)
        if len(self.found_links) < wanted:
            self.left_out.append(Omission(LeftOut.FEWER_LINKS))

    def _failures(self, head: Run, base: Run) -> set[tuple[Rule, str]]:
        """Return what fails head: also unchanged code may fail, by its absolute limits."""
        verdict = self.judgement.verdict(head, self.edges.now().date(), Companions(base))
        return {(each.rule, each.metric) for each in verdict.findings if each.severity is Severity.FAIL}

    def measure_cases(self) -> None:
        """Measure the pairs of unchanged code, then those of each handicap, as far as the budget goes."""
        waiting = [0.0, *self.request.percents]
        while waiting:
            percent = waiting[0]
            pairs = self._affordable(waiting)
            waiting = waiting[1:]
            if not pairs:
                self.left_out.append(Omission(LeftOut.NO_TIME, percent))
                continue
            self._measure(percent, pairs, waiting)
            self._say("judging", self._cost(waiting, pairs))
            self._close(pairs)

    def _affordable(self, waiting: Sequence[float]) -> int:
        """Return the most pairs that fit for all handicaps that wait, else the least for the first alone."""
        for pairs in reversed(PAIRS):
            if self._cost(waiting, pairs) <= self.seconds_left:
                return pairs
        return PAIRS[0] if self._cost(waiting[:1], PAIRS[0]) <= self.seconds_left else 0

    def _cost(self, percents: Sequence[float], pairs: int) -> float:
        runs = pairs + self._warm_ups
        return sum(runs * self.pair_seconds * (1 + percent / 200) for percent in percents)

    @property
    def _warm_ups(self) -> int:
        return self.effective.settings.benchmark.warm_ups

    def _measure(self, percent: float, pairs: int, waiting: Sequence[float]) -> None:
        mib = self._planted_mib(percent)
        base = replace(with_handicap(self.plan, 0.0, 0.0), warmups=self._warm_ups)
        share = percent / 100
        # the handicap is not the engine's: it must not make it time out
        longer = share * max(self.plan.timeout_seconds, 2 * self.engine_seconds)
        head = replace(
            with_handicap(self.plan, share, mib),
            warmups=self._warm_ups,
            timeout_seconds=self.plan.timeout_seconds + longer,
        )
        begun = self.spent_seconds

        def keep(head_result: BenchmarkResult, base_result: BenchmarkResult) -> bool:
            self.open = _Pairs(percent, head_result, base_result, self.spent_seconds - begun)
            return False

        def report(pair: int, side: Side) -> None:
            what = "unchanged code" if side is Side.BASE or not percent else f"{percent:g}% more"
            case = "unchanged" if not percent else f"{percent:g}% more"
            step = f"{case}: pair {pair} of {pairs}: {what}" if pair else f"{case}: warming up"
            self._say(step, self._cost([percent], pairs - max(pair - 1, 0)) + self._cost(waiting, pairs))

        edges = self.edges
        budget = Budget(min(FEWEST_TELLING_PAIRS, pairs), pairs, max(self.seconds_left, 1.0))
        try:
            result = run_side_by_side(
                head, base, budget, edges.launch, edges.calibrate, edges.clock, keep, report, self.seals.check
            )
        except BaseFailure as error:
            raise error.__cause__ or error from None  # both sides are the same engine
        self.open = _Pairs(percent, result.head, result.base, result.seconds)
        if not percent:
            # one run alone may have been unlike the others
            samples = (*result.base.samples, *result.head.samples)
            self.engine_seconds = median(sample.wall_seconds for sample in samples)
            self.engine_mib = median(sample.peak_rss_mib for sample in samples)
            self.pair_seconds = result.seconds / (result.pairs + self._warm_ups)

    def _planted_mib(self, percent: float) -> float:
        """Return the memory of a process that makes the peak so much higher; 0 where it is too much."""
        if not percent or not self.request.plants_memory:
            return 0.0
        mib = self.engine_mib * (1 + percent / 100)
        return mib if mib <= _LEAST_SHARE_FREE * self.edges.machine().memory_mib else 0.0

    def _close(self, wanted: int = 0) -> None:
        """Evaluate the pairs that were measured last."""
        measured, self.open = self.open, None
        if measured is None:
            return
        percent, pairs = measured.percent, len(measured.head.samples)
        if pairs < FEWEST_TELLING_PAIRS:
            self.left_out.append(Omission(LeftOut.NO_TIME, percent))
            return
        if pairs < max(wanted, PAIRS[-1]):
            self.left_out.append(Omission(LeftOut.FEWER_PAIRS, percent))
        self.cases.append(self._case(measured))

    def _case(self, measured: _Pairs) -> Case:
        percent, pairs = measured.percent, len(measured.head.samples)
        head, base = (self._run(each, Timing.MEASURED) for each in (measured.head, measured.base))
        if not percent:
            self.verdict = self.judgement.verdict(head, self.edges.now().date(), Companions(base))
        pair_seconds = measured.seconds / (pairs + self._warm_ups)
        warm_up_seconds = self._warm_ups * pair_seconds
        seconds = pair_seconds, self.overhead_seconds + warm_up_seconds
        policy = self.judgement.rules.policy
        pool = pool_of(head, base, policy, is_unchanged=not percent, seconds=seconds)
        has_memory = not percent or self._planted_mib(percent) > 0
        if not has_memory and self.request.plants_memory:
            self.left_out.append(Omission(LeftOut.MEMORY_NOT_PLANTED, percent))
        return Case(
            percent,
            pairs,
            has_memory,
            estimated_percent(pool, Planted.TIME),
            estimated_percent(pool, Planted.MEMORY),
            pair_seconds,
            warm_up_seconds,
            tuple(gate_runs(pool, PAIRS, _looks, self.request.seed)),
        )

    def _run(self, result: BenchmarkResult, timing: Timing) -> Run:
        run = run_of(self.effective, self.edges, self.read, result, timing)
        return replace(run, session=self.session)

    def _say(self, step: str, seconds: float | None = None) -> None:
        """Report the step; `seconds` are those that are still needed, by default what the budget has left."""
        left = max(self.seconds_left if seconds is None else min(seconds, self.seconds_left), 0.0)
        self.progress(step, min(self.spent_seconds / max(self.spent_seconds + left, 1e-9), 1.0), left)

    def stopped(self) -> Trial:
        """Return what is known in the middle of it."""
        self._close()
        self.left_out.append(Omission(LeftOut.STOPPED))
        return self.trial()

    def trial(self) -> Trial:
        """Return all that is known."""
        settings, verdict = self.effective.settings, self.verdict
        cases = tuple(sorted(self.cases, key=lambda case: case.percent))
        policy = self.judgement.rules.policy
        now = {f"benchmark.{name}": float(getattr(settings.benchmark, name)) for name in _ADVISED}
        whole = self._cost([0.0, *self.request.percents], PAIRS[-1]) + 4 * self.overhead_seconds
        return Trial(
            gate=settings.gate.name,
            engine=enricher_name(settings.enricher.command),
            awards=len(self.read.profiles),
            seed=self.request.seed,
            budget_seconds=self.request.budget_seconds,
            engine_seconds=self.engine_seconds,
            engine_mib=self.engine_mib,
            overhead_seconds=self.overhead_seconds,
            spent_seconds=self.spent_seconds,
            needed_seconds=_STEP * math.ceil(whole / (1 - _LINKS_SHARE) / _STEP) if self.left_out else 0.0,
            unchanged=verdict.outcome if verdict else None,
            findings=verdict.deciding if verdict else (),
            cases=cases,
            found=all_found(cases),
            links=tuple(self.found_links),
            advice=advised_settings(cases, policy, now),
            left_out=tuple(self.left_out),
        )


def _looks(pairs: int) -> tuple[int, ...]:
    return planned_looks(FEWEST_TELLING_PAIRS, pairs)
