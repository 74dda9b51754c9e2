"""The benchmark: warm-ups, then repeats, each in a fresh process with a fresh, empty output folder."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from sbir_gate.errors import ConfigurationError, EnricherError
from sbir_gate.gate.measuring.command import parse_command
from sbir_gate.gate.measuring.environment import private_folders, scrubbed_environment
from sbir_gate.gate.measuring.output import (
    OutputFaults,
    check_rows,
    decision_key,
    digest,
    read_decisions,
)
from sbir_gate.gate.measuring.process import ProcessRequest, ProcessResult, raise_on_failure
from sbir_gate.gate.measuring.telemetry import Telemetry, read_telemetry, reported_error
from sbir_gate.model.matches import Decision
from sbir_gate.model.samples import Calibration, Sample
from sbir_gate.progress import PROGRESS_VARIABLE

# the edges: start a process, time the calibration workload, report "repeat i of n" (0: warm-up)
Launch = Callable[[ProcessRequest], ProcessResult]
Calibrate = Callable[[], Calibration]
Progress = Callable[[int, int], None]
# the calibration workload is timed before what is counted alone
_NOT_TIMED = Calibration(0.0, 0.0)
# looks after a run for what it must not have changed, and raises EnricherError
CheckRun = Callable[[], None]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BenchmarkPlan:
    """What is run, how often, and where.

    `command` is the enricher's template (see `parse_command`). `award_ids` are the awards that the output
    must hold. `scratch_folder` exists; each run works in a new folder below it. `environment` is what the
    caller sees (os.environ): only the allow-list and `pass_environment` of it are handed on. `python` is the
    interpreter for `{python}`. `has_private_home` gives each run an empty home folder.
    `logs` begins the path of each run's messages: `<logs>-<number>.log`; None keeps none.
    """

    command: str
    awards_path: Path
    recipients_path: Path
    award_ids: tuple[str, ...]
    scratch_folder: Path
    working_folder: Path
    environment: Mapping[str, str]
    repeats: int
    warmups: int = 1
    timeout_seconds: float = 300.0
    pass_environment: tuple[str, ...] = ()
    output_name: str = "enriched.parquet"
    python: str = sys.executable
    has_private_home: bool = False
    logs: Path | None = None


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """What all repeats learned.

    `decisions` and `faults` are of the first repeat; `disagreements` are the awards, sorted, for which any
    other repeat, or the first warm-up, decided differently. `first_run` is that warm-up; None without any.
    `calibrations` has one more entry than there are samples.
    """

    samples: tuple[Sample, ...]
    decisions: Sequence[Decision]
    disagreements: tuple[str, ...]
    faults: OutputFaults
    calibrations: tuple[Calibration, ...]
    notes: Mapping[str, str] = field(default_factory=dict)
    first_run: Sample | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """What one process did, reported and wrote."""

    process: ProcessResult
    telemetry: Telemetry
    decisions: Sequence[Decision]


class Bench:
    """A plan that was checked, ready to be run once, and once more."""

    def __init__(self, plan: BenchmarkPlan, launch: Launch, check_run: CheckRun = lambda: None) -> None:
        """Raises ConfigurationError for a plan that cannot be run."""
        _check(plan)
        self.plan = plan
        self._template = parse_command(plan.command)
        self._environment = scrubbed_environment(plan.environment, plan.pass_environment)
        self._launch = launch
        self._check_run = check_run
        self._runs = 0

    def run_once(self) -> Repeat:
        """Run the enricher and read what it wrote.

        Raises EnricherError as `run_with` does, and for an output that is missing or cannot be read.
        """

        def read(result: ProcessResult, output: Path, metrics: Path) -> Repeat:
            try:
                telemetry = read_telemetry(metrics)
                return Repeat(result, telemetry, read_decisions(output, self.plan.award_ids))
            except EnricherError as error:
                raise with_placeholders(error, output, metrics) from error.__cause__

        return self.run_with(read)

    def run_with(self, read: Callable[[ProcessResult, Path, Path], T]) -> T:
        """Run the enricher in a fresh process with fresh, empty folders for its output and what it keeps.

        Returns what `read` makes of the process, the output and the metrics, which are removed afterwards.
        Raises EnricherError for an exit status other than 0, a time-out, or a run that changed what it must
        not.
        """
        plan = self.plan
        self._runs += 1
        # what the enricher locks or makes read-only in its folder must not turn a measurement into a failure
        with tempfile.TemporaryDirectory(
            dir=plan.scratch_folder, prefix="repeat-", ignore_cleanup_errors=True
        ) as name:
            folder = Path(name).resolve()
            written = folder / "out"
            written.mkdir()
            output, metrics = written / plan.output_name, written / "metrics.json"
            arguments = self._template.filled(
                plan.awards_path.resolve(), plan.recipients_path.resolve(), output, metrics, plan.python
            )
            environment = self._environment | private_folders(
                folder, plan.pass_environment, has_home=plan.has_private_home
            )
            log = plan.logs and plan.logs.with_name(f"{plan.logs.name}-{self._runs}.log")
            request = ProcessRequest(
                arguments,
                {**environment, PROGRESS_VARIABLE: str(folder / "progress")},
                plan.working_folder,
                plan.timeout_seconds,
                log,
                progress=folder / "progress",
            )
            try:
                result = self._launch(request)
                raise_on_failure(request, result)
            except EnricherError as error:
                error.name_files({**self._handed(), "{output}": output, "{metrics}": metrics})
                raise error from error.__cause__ or reported_error(metrics)
            self._check_run()
            return read(result, output, metrics)

    def _handed(self) -> dict[str, Path]:
        """Return the inputs that were written for the engine: the user knows their placeholders alone."""
        scratch = self.plan.scratch_folder.resolve()
        inputs = {"{awards}": self.plan.awards_path, "{recipients}": self.plan.recipients_path}
        resolved = {name: path.resolve() for name, path in inputs.items()}
        return {name: path for name, path in resolved.items() if path.is_relative_to(scratch)}


def with_placeholders(error: EnricherError, output: Path, metrics: Path) -> EnricherError:
    """Name the files `{output}` and `{metrics}`, as the command does: the user never sees their names."""
    names = {output.name: "{output}", metrics.name: "{metrics}"}
    error.faults = tuple(replace(fault, path=names.get(fault.path, fault.path)) for fault in error.faults)
    return error


class Tally:
    """What the repeats of one enricher learned so far; of the decisions only those of the first are kept."""

    def __init__(self, award_ids: Sequence[str]) -> None:
        self._award_ids = award_ids
        self._samples: list[Sample] = []
        self._calibrations: list[Calibration] = []
        self._first: Repeat | None = None
        self._differing: set[str] = set()
        self._first_run: Sample | None = None
        self._first_answers: Sequence[Decision] = ()

    def warm_up(self, repeat: Repeat) -> None:
        """Keep the first of the runs that are not counted: what it took shows what it left for later ones."""
        if self._first_run is None:
            self._first_run, self._first_answers = _sample(repeat, _NOT_TIMED), repeat.decisions

    def add(self, repeat: Repeat, calibration: Calibration) -> None:
        """Take a repeat in, and the timing of the calibration workload just before it."""
        self._samples.append(_sample(repeat, calibration))
        self._calibrations.append(calibration)
        if self._first is None:
            self._first = repeat
            if self._first_run is not None and self._first_run.output_digest != digest(repeat.decisions):
                self._differing.update(find_disagreements((repeat.decisions, self._first_answers)))
            self._first_answers = ()
        elif self._samples[0].output_digest != self._samples[-1].output_digest:
            self._differing.update(find_disagreements((self._first.decisions, repeat.decisions)))

    def result(self, last_calibration: Calibration) -> BenchmarkResult:
        """Return what was learned; there must be a repeat. More may be added afterwards."""
        if self._first is None:
            raise ValueError("no repeat was measured")
        return BenchmarkResult(
            samples=tuple(self._samples),
            decisions=self._first.decisions,
            disagreements=tuple(sorted(self._differing)),
            faults=check_rows(self._first.decisions, self._award_ids),
            calibrations=(*self._calibrations, last_calibration),
            notes=self._first.telemetry.notes,
            first_run=self._first_run,
        )


def run_benchmark(
    plan: BenchmarkPlan,
    launch: Launch,
    calibrate: Calibrate,
    progress: Progress,
    check_run: CheckRun = lambda: None,
) -> BenchmarkResult:
    """Run the plan and return what was learned; a failed warm-up is a failure too.

    The calibration is timed before every repeat and after the last. Raises ConfigurationError for a plan
    that cannot be run, EnricherError for an exit status other than 0, a time-out or an output that is missing
    or cannot be read.
    """
    bench = Bench(plan, launch, check_run)
    tally = Tally(plan.award_ids)
    for _ in range(plan.warmups):
        progress(0, plan.repeats)
        tally.warm_up(bench.run_once())
    for number in range(1, plan.repeats + 1):
        progress(number, plan.repeats)
        calibration = calibrate()
        tally.add(bench.run_once(), calibration)
    return tally.result(calibrate())


def find_disagreements(outputs: Sequence[Sequence[Decision]]) -> tuple[str, ...]:
    """Return the awards whose rows differ between the first output and any other, sorted.

    The order of rows does not matter, their number does: an award that is missing from one differs.
    """
    by_award = [_rows_by_award(output) for output in outputs]
    differing: set[str] = set()
    for other in by_award[1:]:
        award_ids = by_award[0].keys() | other.keys()
        differing.update(id_ for id_ in award_ids if by_award[0].get(id_) != other.get(id_))
    return tuple(sorted(differing))


def _check(plan: BenchmarkPlan) -> None:
    if plan.repeats < 1:
        raise ConfigurationError(f"benchmark.repeats is {plan.repeats}", "measure at least one repeat")
    if plan.warmups < 0:
        raise ConfigurationError(f"benchmark.warmups is {plan.warmups}", "use 0 or more")
    if not plan.timeout_seconds > 0:
        raise ConfigurationError(
            f"enrichment.performance.timeout_seconds is {plan.timeout_seconds}", "use a time above 0"
        )


def _sample(repeat: Repeat, calibration: Calibration) -> Sample:
    telemetry = repeat.telemetry
    # an enricher that resets its own peak counter hides it from the launcher, but reports it here
    peak_rss_mib = max(repeat.process.peak_rss_mib, telemetry.highest_mib())
    start_mib = telemetry.start_rss_mib
    return Sample(
        wall_seconds=repeat.process.wall_seconds,
        cpu_seconds=repeat.process.cpu_seconds,
        peak_rss_mib=peak_rss_mib,
        memory_delta_mib=None if start_mib is None else peak_rss_mib - start_mib,
        calibration_seconds=calibration.wall_seconds,
        output_digest=digest(repeat.decisions),
        cpu_wait_seconds=repeat.process.cpu_wait_seconds,
        stages=telemetry.stage_samples(),
        counters=telemetry.counters,
        calibration_cpu_seconds=calibration.cpu_seconds,
        memory_method=repeat.process.memory_method,
        cpu_method=repeat.process.cpu_method,
        io_wait_seconds=repeat.process.io_wait_seconds,
    )


def _rows_by_award(decisions: Sequence[Decision]) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {}
    for decision in decisions:
        rows.setdefault(decision.award_id, []).append(repr(decision_key(decision)))
    return {award_id: sorted(keys) for award_id, keys in rows.items()}
