"""Check that an engine keeps the contract: it runs twice on a few awards, and all that it writes is read.

There need be no gate yet, no baseline and no truth; docs/engine-contract.md is the contract.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sbir_gate.errors import EnricherError
from sbir_gate.gate.comparing.examples import id_facts
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.enricher_plan import plan_of, sealed_files
from sbir_gate.gate.fixture import ReadFixture, known_recipients, read_fixture, shared_ids_of, unlabelled
from sbir_gate.gate.measuring.benchmark import Bench, BenchmarkPlan, find_disagreements, with_placeholders
from sbir_gate.gate.measuring.interleaving import Side
from sbir_gate.gate.measuring.output import NOTHING_READ, Inspection, check_rows, inspect_output
from sbir_gate.gate.measuring.process import ProcessResult
from sbir_gate.gate.measuring.rows import Header, read_header
from sbir_gate.gate.measuring.seals import Mark, Seals, mark_of, marks_in
from sbir_gate.gate.measuring.telemetry import Telemetry, read_telemetry
from sbir_gate.gate.storing.scratch import scratch_folder
from sbir_gate.model.diagnosis import Diagnosis, Flaw, Gravity
from sbir_gate.model.finding import Fact
from sbir_gate.model.matches import REQUIRED_ENRICHED_COLUMNS, Decision
from sbir_gate.settings.effective import EffectiveSettings

MOST_AWARDS = 50
ENGINE, RECIPIENTS, OUTPUT, METRICS = "engine", "{recipients}", "{output}", "{metrics}"
OPTIONAL_COLUMNS = ("match_confidence", "match_place", "match_decision", "match_candidates")
# what Python and git write by themselves
_NOT_LOOKED_AT = frozenset({"__pycache__", ".git"})
_EXAMPLES = 5
_ID_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class EngineCheck:
    """What was found, in the order of the contract; `is_broken` says that a run of the engine failed."""

    found: tuple[Diagnosis, ...]
    is_broken: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one run did and wrote; instead of what cannot be read stands the error."""

    process: ProcessResult
    header: Header | EnricherError
    output: Inspection
    telemetry: Telemetry | EnricherError | None


def check_engine(effective: EffectiveSettings, edges: Edges, progress: Callable[[str], None]) -> EngineCheck:
    """Run the enricher of the settings twice on some awards of the fixture, and return all that was found.

    Raises ConfigurationError for a command that cannot be used, InputError for awards or recipients that
    cannot be read.
    """
    effective = unlabelled(effective)
    with scratch_folder("sbir-gate-check-") as scratch, edges.keep_code():
        read = read_fixture(effective, edges, progress, scratch, MOST_AWARDS)
        plan = replace(plan_of(effective, read, scratch), logs=None)
        seals = Seals(lambda: sealed_files(effective, plan))
        bench = Bench(plan, edges.launch, lambda: seals.check(Side.HEAD))

        def look(process: ProcessResult, output: Path, metrics: Path) -> _Seen:
            return _look(process, output, metrics, plan.award_ids)

        found: list[Diagnosis] = []
        before = _surroundings(plan)
        try:
            progress(f"running the engine on {len(read.profiles):,} awards")
            first = bench.run_with(look)
            found += (*_ran(first.process), *_written(first, read))
            if first.output.decisions:
                progress("running it again")
                found += _repeated(first, bench.run_with(look))
            found += shared_ids_of(read, RECIPIENTS)
            found += _written_elsewhere(before, _surroundings(plan))
        except EnricherError as error:
            return EngineCheck((*found, _broke(error)), is_broken=True)
        return EngineCheck(tuple(found))


def _look(process: ProcessResult, output: Path, metrics: Path, award_ids: Sequence[str]) -> _Seen:
    header: Header | EnricherError
    telemetry: Telemetry | EnricherError | None
    try:
        header = read_header(output)
    except EnricherError as error:
        header = with_placeholders(error, output, metrics)
    has_columns = isinstance(header, Header) and not _missing_columns(header)
    inspected = inspect_output(output, award_ids) if has_columns else NOTHING_READ
    for fault, _ in inspected.faults:
        with_placeholders(fault, output, metrics)
    try:
        telemetry = read_telemetry(metrics) if metrics.exists() else None
    except EnricherError as error:
        telemetry = with_placeholders(error, output, metrics)
    return _Seen(process, header, inspected, telemetry)


def _missing_columns(header: Header) -> list[str]:
    have = {name.strip().casefold() for name in header.columns}
    return [column for column in REQUIRED_ENRICHED_COLUMNS if column not in have]


def _ran(process: ProcessResult) -> Iterator[Diagnosis]:
    figures = {"seconds": round(process.wall_seconds, 2), "mib": round(process.peak_rss_mib)}
    yield _note(Flaw.ENGINE_RAN, ENGINE, figures)


def _broke(error: EnricherError) -> Diagnosis:
    facts: dict[str, Fact] = {"text": error.fault.text, "hint": error.hint}
    if error.status is not None:
        facts["status"] = error.status
    if error.log_tail:
        facts["log"] = error.log_tail
    return Diagnosis(Gravity.ERROR, Flaw.ENGINE_BROKE, ENGINE, facts)


def _written(seen: _Seen, read: ReadFixture) -> Iterator[Diagnosis]:
    header = seen.header
    if isinstance(header, EnricherError):
        yield _invalid(Flaw.ENGINE_FILE_INVALID, header)
    else:
        missing = _missing_columns(header)
        if missing:
            columns = tuple(name[:_ID_CHARACTERS] for name in header.columns) or ("none",)
            facts: dict[str, Fact] = {"count": len(missing), "missing": tuple(missing), "columns": columns}
            yield _error(Flaw.ENGINE_COLUMNS_MISSING, OUTPUT, facts)
        else:
            rows = len(seen.output.decisions) + len(seen.output.skipped)
            if rows or not seen.output.faults:
                yield _note(Flaw.ENGINE_OUTPUT, OUTPUT, {"format": header.format, "rows": rows})
            yield _note(Flaw.ENGINE_COLUMNS, OUTPUT, {"columns": REQUIRED_ENRICHED_COLUMNS})
            yield from _content(seen.output, read)
        yield from _optional_columns(header)
    yield from _metrics(seen.telemetry)


def _content(output: Inspection, read: ReadFixture) -> Iterator[Diagnosis]:
    """Yield what the rows are worth: their cells, awards, recipients, methods and scores."""
    for error, rows in output.faults:
        if error.fault.row is None:
            yield _invalid(Flaw.ENGINE_FILE_INVALID, error)
        else:
            yield _invalid(Flaw.ENGINE_CELLS_INVALID, error, rows=rows)
    if not output.decisions and output.faults:
        return  # nothing of it could be read: whatever is missing is missing for that reason
    award_ids = read.profiles.award_ids
    yield from _awards(output, award_ids, read.has_award_ids)
    yield from _recipients(known_recipients(read, output.decisions).unknown, read.recipients.has_own_ids)
    yield from _links(output.decisions, len(award_ids))


def _awards(output: Inspection, award_ids: Sequence[str], has_own_ids: bool) -> Iterator[Diagnosis]:
    faults = check_rows(output.decisions, award_ids)
    missing = [award_id for award_id in faults.missing if award_id not in output.skipped]
    if missing:
        yield _error(Flaw.ENGINE_ROWS_MISSING, OUTPUT, _counted(missing))
    if faults.doubled:
        yield _error(Flaw.ENGINE_ROWS_DOUBLED, OUTPUT, _counted(faults.doubled))
    if faults.unknown:
        facts = {**_counted(faults.unknown), "written": _written_as(faults.unknown, has_own_ids)}
        yield _error(Flaw.ENGINE_ROWS_UNKNOWN, OUTPUT, facts)
    if not missing and not faults.doubled and not faults.unknown:
        yield _note(Flaw.ENGINE_ROWS, OUTPUT, {"awards": len(award_ids)})


def _recipients(unknown: Sequence[str], has_own_ids: bool) -> Iterator[Diagnosis]:
    if unknown:
        facts = {**_counted(unknown), "written": _written_as(unknown, has_own_ids)}
        yield _error(Flaw.ENGINE_RECIPIENTS_UNKNOWN, OUTPUT, facts)
    else:
        yield _note(Flaw.ENGINE_RECIPIENTS, OUTPUT)


def _links(decisions: Sequence[Decision], awards: int) -> Iterator[Diagnosis]:
    links = [decision for decision in decisions if decision.link]
    methods = Counter(decision.method for decision in decisions)
    said = tuple(f"{method} ({count:,})" for method, count in methods.most_common())
    facts: dict[str, Fact] = {"methods": said, "links": len(links), "awards": awards}
    yield _note(Flaw.ENGINE_METHODS, OUTPUT, facts)
    if not links:
        yield Diagnosis(Gravity.WARNING, Flaw.ENGINE_WITHOUT_LINKS, OUTPUT)
        return
    scores = [decision.score for decision in links]
    figures = {"least": round(min(scores), 2), "most": round(max(scores), 2)}
    if max(scores) <= 1:
        yield Diagnosis(Gravity.WARNING, Flaw.ENGINE_SCORES_OF_ONE, OUTPUT, figures)
    else:
        yield _note(Flaw.ENGINE_SCORES, OUTPUT, figures)


def _optional_columns(header: Header) -> Iterator[Diagnosis]:
    have = {name.strip().casefold() for name in header.columns}
    for column in OPTIONAL_COLUMNS:
        flaw = Flaw.ENGINE_COLUMN_USED if column in have else Flaw.ENGINE_COLUMN_UNUSED
        yield _note(flaw, OUTPUT, {"column": column})


def _metrics(telemetry: Telemetry | EnricherError | None) -> Iterator[Diagnosis]:
    if isinstance(telemetry, EnricherError):
        yield _invalid(Flaw.ENGINE_FILE_INVALID, telemetry)
    elif telemetry is None:
        yield _note(Flaw.ENGINE_METRICS_ABSENT, METRICS)
    else:
        counts = {"counters": len(telemetry.counters), "stages": len(telemetry.stages)}
        yield _note(Flaw.ENGINE_METRICS, METRICS, counts)


def _repeated(first: _Seen, second: _Seen) -> Iterator[Diagnosis]:
    differing = find_disagreements((first.output.decisions, second.output.decisions))
    if differing:
        yield _error(Flaw.ENGINE_NOT_DETERMINISTIC, ENGINE, _counted(differing))
    else:
        yield _note(Flaw.ENGINE_REPEATED, ENGINE)
    if isinstance(first.telemetry, Telemetry) and isinstance(second.telemetry, Telemetry):
        counters, others = first.telemetry.counters, second.telemetry.counters
        names = sorted(name for name in counters | others if counters.get(name) != others.get(name))
        if names:
            facts: dict[str, Fact] = {"counters": len(names), "names": tuple(names)}
            yield _error(Flaw.ENGINE_COUNTERS_DIFFER, METRICS, facts)


def _surroundings(plan: BenchmarkPlan) -> dict[str, Mark]:
    """Return the marks of all in the working folder, and of the files beside the input."""
    left_out = _NOT_LOOKED_AT | {plan.scratch_folder.name}
    marks = marks_in(plan.working_folder, left_out)
    for path in (plan.awards_path, plan.recipients_path):
        with suppress(OSError), os.scandir(os.path.normpath(path.absolute().parent)) as entries:
            files = (entry for entry in entries if entry.is_file(follow_symlinks=False))
            marks |= {entry.path: mark_of(entry.stat(follow_symlinks=False)) for entry in files}
    return marks


def _written_elsewhere(before: Mapping[str, Mark], after: Mapping[str, Mark]) -> Iterator[Diagnosis]:
    """Yield what the runs changed besides their outputs; of a new folder not what is in it."""
    differing = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    named = sorted(name for name in differing if str(Path(name).parent) not in differing)
    if named:
        facts: dict[str, Fact] = {"count": len(named), "names": tuple(map(_shown, named[:_EXAMPLES]))}
        yield Diagnosis(Gravity.WARNING, Flaw.ENGINE_WROTE_ELSEWHERE, ENGINE, facts)


def _shown(name: str) -> str:
    path, here = Path(name), Path.cwd()
    text = str(path.relative_to(here) if path.is_relative_to(here) else path)
    return text if text.isprintable() else repr(text)


def _counted(ids: Sequence[str]) -> dict[str, Fact]:
    """Return how many ids there are, and the first; what cannot be seen in them is escaped."""
    return {"count": len(ids), "ids": tuple(repr(id_[:_ID_CHARACTERS]) for id_ in ids[:_EXAMPLES])}


def _written_as(ids: Iterable[str], has_own_ids: bool) -> str:
    written = id_facts(tuple(ids))
    if "ids_are_floats" in written:
        return "floats"
    if "ids_are_padded" in written:
        return "padded"
    return "other" if has_own_ids else "added"


def _invalid(flaw: Flaw, error: EnricherError, **more: Fact) -> Diagnosis:
    facts: dict[str, Fact] = {"text": error.fault.detail, "hint": error.hint, **more}
    return _error(flaw, error.fault.place, facts)


def _error(flaw: Flaw, place: str, facts: Mapping[str, Fact]) -> Diagnosis:
    return Diagnosis(Gravity.ERROR, flaw, place, facts)


def _note(flaw: Flaw, place: str, facts: Mapping[str, Fact] | None = None) -> Diagnosis:
    return Diagnosis(Gravity.NOTE, flaw, place, facts or {})
