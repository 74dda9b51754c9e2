"""`sbir-gate init`: a gate for a team's own repository."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from sbir_gate.cli.drawn_fixture import drawn_lines, file_line
from sbir_gate.cli.options import FilePath, quiet_option
from sbir_gate.cli.printing import put_error, put_line
from sbir_gate.cli.progress import Ticker
from sbir_gate.errors import ExitStatus, SbirGateError, UsageError

if TYPE_CHECKING:
    from sbir_gate.model.diagnosis import Diagnosis
    from sbir_gate.pipeline.new_gate.answers import Answers
    from sbir_gate.pipeline.new_gate.preparation import Preparation
    from sbir_gate.pipeline.new_gate.readiness import OpenSetting

_DEFAULT_PYTHON = Path(".venv/bin/python")
_PLACEHOLDER = "OWNER/sbir-gate@COMMIT"


@click.command(
    epilog="""\b
Examples:
  sbir-gate init
  sbir-gate init --awards data/awards.csv --recipients data/recipients.parquet \\
      --engine '{python} enrich.py {awards} {recipients} {output}' --python .venv/bin/python
  sbir-gate init --awards awards.csv --recipients recipients.csv --engine '' --dry-run

\b
Exit status: 0 the gate is ready, 1 the engine does not keep the contract or a kept file has to be
changed first, 2 an answer cannot be used, 3 the engine broke. Files of the team are never replaced
without --force.
"""
)
@click.option("--awards", help="Your awards: a file, folder or glob. A sample of them becomes the fixture.")
@click.option("--recipients", help="Your recipients: a file, folder, glob or dump.")
@click.option(
    "--engine", help="Command of your engine with {awards} {recipients} {output}; '' is the built-in one."
)
@click.option("--python", help="Interpreter for {python} in that command, such as .venv/bin/python.")
@click.option("--truth", type=FilePath(), help="Your known correct recipients: award_id,recipient_ids.")
@click.option(
    "--count",
    type=click.IntRange(min=50),
    default=500,
    show_default=True,
    help="About how many awards to draw.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Decides which awards are drawn.")
@click.option("--forks", is_flag=True, help="Also write the workflow that comments on forks' pull requests.")
@click.option("--force", is_flag=True, help="Replace files that differ; labels of the truth stay.")
@click.option("--dry-run", is_flag=True, help="Print what would be written, and write nothing.")
@quiet_option
def init(
    awards: str | None,
    recipients: str | None,
    engine: str | None,
    python: str | None,
    truth: Path | None,
    count: int,
    seed: int,
    forks: bool,
    force: bool,
    dry_run: bool,
    quiet: bool,
) -> NoReturn:
    """Write the settings, fixture and workflows of a gate for the repository of the current folder."""
    from sbir_gate.gate.edges import real_edges
    from sbir_gate.pipeline.new_gate.action_address import read_installation
    from sbir_gate.pipeline.new_gate.file_plan import write_planned
    from sbir_gate.pipeline.new_gate.preparation import prepare_gate

    answers = replace(
        _answers(awards, recipients, engine, python, truth), count=count, seed=seed, has_forks=forks
    )
    with (
        tempfile.TemporaryDirectory(prefix="sbir-gate-init-") as scratch,
        Ticker(is_quiet=quiet) as ticker,
    ):
        prepared = prepare_gate(
            answers,
            Path.cwd(),
            Path(scratch),
            os.environ,
            real_edges(),
            read_installation(),
            ticker.say,
            may_replace=force,
        )
    if not dry_run:
        write_planned(prepared.files, prepared.place.root)
    lines = _faults(prepared) if quiet else _report(prepared, is_dry=dry_run)
    for line in lines:
        put_line(line)
    sys.exit(_status(prepared))


def _answers(
    awards: str | None,
    recipients: str | None,
    engine: str | None,
    python: str | None,
    truth: Path | None,
) -> Answers:
    """Return the answers; what no option gives is asked on a terminal. Raises UsageError without one."""
    from sbir_gate.pipeline.new_gate.answers import (
        Answers,
        check_awards,
        check_engine_command,
        check_interpreter,
        check_recipients,
        check_truth_file,
    )

    needed = {"--awards": awards, "--recipients": recipients, "--engine": engine}
    missing = [option for option, given in needed.items() if given is None]
    if missing and not sys.stdin.isatty():
        raise UsageError(
            f"{', '.join(missing)}: missing, and there is no terminal to ask on",
            "give them: --awards FILE --recipients FILE --engine 'COMMAND {awards} {recipients} {output}'",
        )
    is_asking = bool(missing)
    awards = awards if awards is not None else _asked("File of your awards", check_awards)
    if recipients is None:
        recipients = _asked("File of your recipients", check_recipients)
    if engine is None:
        text = "Command of your engine with {awards} {recipients} {output} (empty: the built-in engine)"
        engine = _asked(text, check_engine_command, default="")
    found = str(_DEFAULT_PYTHON) if _DEFAULT_PYTHON.exists() else ""
    if python is None:
        asks = is_asking and "{python}" in engine
        python = _asked("Interpreter for {python}", check_interpreter, default=found) if asks else found
    if truth is None and is_asking:
        given = _asked("File of known correct recipients (empty: none)", check_truth_file, default="")
        truth = Path(given) if given else None
    return Answers(awards, recipients, engine, python if "{python}" in engine else "", truth)


def _asked(text: str, check: Callable[[str], None], default: str | None = None) -> str:
    """Ask until the answer can be used; `check` raises SbirGateError for one that cannot."""
    while True:
        answer = str(click.prompt(text, default=default, show_default=bool(default))).strip()
        try:
            check(answer)
        except SbirGateError as error:
            put_error(error.message, error.hint)
        else:
            return answer


def _report(prepared: Preparation, *, is_dry: bool) -> Iterator[str]:
    from sbir_gate.gate.reporting.diagnoses import render_check

    yield from _drawn_lines(prepared)
    yield render_check(prepared.check.found).rstrip("\n")
    for planned in prepared.files:
        note = "; it differs, --force replaces it" if planned.fate == "kept" else ""
        yield file_line(planned, note, is_dry=is_dry)
        if is_dry and planned.has_changes and not planned.file.group:
            yield from (f"    {line}" for line in planned.file.content.decode().splitlines())
    if prepared.own_workflow and all(each.file.path != prepared.own_workflow for each in prepared.files):
        yield f"kept: {prepared.own_workflow} runs this gate already"
    yield from _open_points(prepared)


def _faults(prepared: Preparation) -> Iterator[str]:
    """Yield what is wrong with the engine, and what the gate cannot do without."""
    from sbir_gate.gate.reporting.diagnoses import render_check
    from sbir_gate.model.diagnosis import Gravity

    if faults := [each for each in prepared.check.found if each.gravity is not Gravity.NOTE]:
        yield render_check(faults).rstrip("\n")
    needed = (each for each in prepared.open_settings if each.is_needed)
    yield from (_setting_line(each, prepared.facts.settings_file) for each in needed)


def _drawn_lines(prepared: Preparation) -> Iterator[str]:
    drawn = prepared.drawn
    yield from drawn_lines(drawn)
    by_identifier = len(drawn.labels) - drawn.given
    yield (
        f"labelled {len(drawn.labels):,} of {len(drawn.awards.drawn):,} awards: "
        f"{drawn.given:,} by your truth, {by_identifier:,} by identifier"
    )


def _open_points(prepared: Preparation) -> Iterator[str]:
    """Yield what init could not know, and the next steps."""
    facts, drawn = prepared.facts, prepared.drawn
    yield from (_setting_line(each, facts.settings_file) for each in prepared.open_settings)
    if not _is_sound(prepared):
        yield "to do: correct the engine, until this finds no error: sbir-gate check-engine"
    if len(drawn.labels) < len(drawn.awards.drawn):
        yield f"to do: label more awards: sbir-gate label --serve --truth {facts.truth_file}"
    links, awards = _links(prepared.check.found)
    if awards and links / awards < _least_match_rate():
        yield (
            f"to do: the engine linked {links:,} of {awards:,} awards; if that is as it must be, "
            "set enrichment.performance.match_rate_threshold, or the gate fails every change"
        )
    if _PLACEHOLDER in facts.action:
        yield f"to do: replace {_PLACEHOLDER} in the workflow by the address of sbir-gate, pinned to a commit"
    if not facts.is_branch_known:
        yield f"to do: no git repository names the main branch; the workflow says {facts.branch!r}"
    if facts.command and not facts.setup.is_known:
        yield "to do: no file lists the engine's packages; add their installation to the workflow"
    if prepared.is_outside:
        yield (
            "to do: the interpreter is outside the repository; name it in each call:"
            " sbir-gate run --set enricher.python=PATH"
        )
    if not prepared.has_comments:
        yield "note: pull requests from forks get no comment; --forks writes the workflow that posts it"
    yield "next: commit these files on the main branch; its first run there makes the baseline"
    yield "next: check the set-up: sbir-gate doctor"


def _setting_line(setting: OpenSetting, file: str) -> str:
    from sbir_gate.pipeline.new_gate.file_texts import quoted
    from sbir_gate.pipeline.new_gate.readiness import Problem

    wanted = setting.wanted if setting.wanted == "null" else quoted(setting.wanted)
    named = f"{setting.key} ({setting.origin}) is {setting.value}"
    cure = f"set it to {wanted} in {file}"
    if setting.problem is Problem.OTHER_ENGINE:
        return f"to do: {named}: the gate measures this engine, not the one that you named; {cure}"
    if setting.problem is Problem.UNUSED:
        return f"to do: {named}; {cure}"
    if setting.wanted:
        return f"to do: {named}, which is missing; {cure}"
    return (
        f"to do: {setting.key} is {setting.value}, which is missing: the fixture was kept, because files of "
        "it differ; add the file, or replace the fixture with --force"
    )


def _least_match_rate() -> float:
    from sbir_gate.settings.effective import default_settings

    return default_settings({}).settings.enrichment.performance.match_rate_threshold


def _links(found: tuple[Diagnosis, ...]) -> tuple[int, int]:
    from sbir_gate.model.diagnosis import Flaw

    facts = next((each.facts for each in found if each.flaw is Flaw.ENGINE_METHODS), {})
    links, awards = facts.get("links", 0), facts.get("awards", 0)
    return (links, awards) if isinstance(links, int) and isinstance(awards, int) else (0, 0)


def _status(prepared: Preparation) -> ExitStatus:
    if prepared.check.is_broken:
        return ExitStatus.BROKEN
    is_ready = _is_sound(prepared) and not any(each.is_needed for each in prepared.open_settings)
    return ExitStatus.OK if is_ready else ExitStatus.GATE_FAILED


def _is_sound(prepared: Preparation) -> bool:
    """Say whether the engine keeps the contract."""
    from sbir_gate.gate.reporting.diagnoses import count_of
    from sbir_gate.model.diagnosis import Gravity

    return not prepared.check.is_broken and not count_of(prepared.check.found, Gravity.ERROR)
