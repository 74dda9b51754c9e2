"""Baselines: the Run of each gate that was promoted to the reference."""

from __future__ import annotations

import re
from pathlib import Path

from sbir_gate.documents import MAX_DOCUMENT_BYTES, load_run, write_run
from sbir_gate.errors import DocumentError, InputError, UsageError
from sbir_gate.gate.storing.revisions import Revision
from sbir_gate.model.document import PROMOTE_AGAIN, RUN, decode
from sbir_gate.model.moments import moment_text
from sbir_gate.model.run import GATE_NAME, MOST_GATE_CHARACTERS, Run, Timing

# Metrics of a sound Run that are 0; a Run without one of them has not been checked for it.
_MUST_BE_ZERO = ("rows_missing", "rows_doubled", "rows_unknown", "disagreements")

# why time was not measured, and the hint
_UNTIMED = {
    Timing.QUICK: (
        "a quick look",
        "measure with 'sbir-gate run' without --quick (benchmark.is_timed: true), and promote that Run",
    ),
    Timing.ENGINE_UNCHANGED: (
        "the engine is unchanged",
        "keep the baseline, or measure with a plain 'sbir-gate run' and promote that Run",
    ),
}


def baseline_path(folder: Path, gate: str) -> Path:
    """Return `<folder>/<gate>.json`. Raises UsageError for a name that could lead elsewhere."""
    if len(gate) > MOST_GATE_CHARACTERS or not re.fullmatch(GATE_NAME, gate):
        raise UsageError(
            f"gate name {gate[:MOST_GATE_CHARACTERS]!r} is not allowed",
            f"use lower-case letters, digits and single hyphens, at most {MOST_GATE_CHARACTERS} characters",
        )
    return folder / f"{gate}.json"


def load_baseline(folder: Path, gate: str) -> Run | None:
    """Return the baseline of the gate, or None only if there is no such file.

    Raises DocumentError if it is damaged, unreadable, or the Run of another gate: a baseline that
    cannot be trusted is an error, never "no baseline yet".
    """
    path = baseline_path(folder, gate)
    if _is_absent(path):
        return None
    run = load_run(path, again=PROMOTE_AGAIN)
    if run.gate != gate:
        raise DocumentError(
            f"the Run is of gate {run.gate!r}, not {gate!r}",
            "put the right baseline back from git, or promote a Run of this gate with --force",
            path=path,
        )
    return run


def committed_baseline(revision: Revision, path: str, gate: str) -> Run | None:
    """Return the baseline of the gate as a commit has it at this path from the root, None without one.

    Raises DocumentError for one that cannot be read, or is of another gate.
    """
    blob = revision.blob(path)
    if blob is None:
        return None
    name, hint = f"{path} at {revision.name}", "restore it from git, or promote with --force"
    try:
        run = decode(RUN, revision.read(blob, MAX_DOCUMENT_BYTES).decode("utf-8"), name, PROMOTE_AGAIN)
    except UnicodeDecodeError as error:
        raise DocumentError(f"not UTF-8 at byte {error.start}", hint, path=name) from error
    if run.gate != gate:
        raise DocumentError(f"the Run is of gate {run.gate!r}, not {gate!r}", hint, path=name)
    return run


def promote(run: Run, folder: Path, is_forced: bool = False) -> Path:
    """Make the Run the baseline of its gate and return the path.

    Raises InputError with every problem that `verify` finds. Force passes over code that was not
    committed, and over nothing else: a baseline that is wrong would hide every later regression.
    Raises OutputError if the file cannot be written.
    """
    path = baseline_path(folder, run.gate)
    check_promotable(run, is_forced)
    write_run(path, run)
    return path


def check_promotable(run: Run, is_forced: bool = False) -> None:
    """Raise InputError for a Run that `promote` would not take."""
    if run.fixture.commit:
        raise InputError(
            f"the Run of {moment_text(run.started_at)} was measured on the fixture of commit"
            f" {run.fixture.commit[:12]}, to judge a change of it",
            "promote a Run on the fixture of the working tree",
        )
    if run.timing is not Timing.MEASURED:
        cause, hint = _UNTIMED[run.timing]
        raise InputError(
            f"the Run of {moment_text(run.started_at)} judged no time ({cause}), so it cannot be a baseline",
            hint,
        )
    problems = verify(run)
    if problems:
        raise InputError(
            f"the Run of {moment_text(run.started_at)} cannot be a baseline: {'; '.join(problems)}",
            "fix the enricher, measure again with 'sbir-gate run', and promote that Run",
        )
    if run.source.is_dirty and not is_forced:
        raise InputError(
            f"the Run of {moment_text(run.started_at)} measured code that is not committed",
            "commit and measure again, or promote it with --force",
        )


def verify(run: Run) -> tuple[str, ...]:
    """Return a message on why the Run cannot be a baseline; empty if it can."""
    problems = []
    awards = {award.award_id for award in run.awards}
    if not awards or run.quality.awards == 0:
        problems.append("it holds zero records")
    if not run.samples:
        problems.append("it holds no measured repeat")
    if run.timing is not Timing.MEASURED:
        problems.append("time and memory were not measured")
    if len({sample.output_digest for sample in run.samples}) > 1:
        problems.append("its repeats gave different outputs")
    if len(awards) < len(run.awards):
        problems.append(f"awards decided more than once: {len(run.awards) - len(awards):,}")
    if len(awards) < run.fixture.awards:
        problems.append(f"awards of the fixture without a decision: {run.fixture.awards - len(awards):,}")
    problems += [fault for name in _MUST_BE_ZERO if (fault := _zero_fault(run, name))]
    return tuple(problems)


def _is_absent(path: Path) -> bool:
    """Say whether there is no such file; one that may not be looked at, or a dangling link, is there."""
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _zero_fault(run: Run, name: str) -> str:
    values = [value for metric in run.metrics if metric.name == name for value in metric.values]
    if not values:
        return f"it does not say {name}"
    largest = max(values, key=abs)
    return f"{name} is {largest:g}, not 0" if largest else ""
