"""The `sbir-gate` program: verbs load when called; errors become one line."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from types import FrameType
from typing import NoReturn

import click

from sbir_gate import __version__
from sbir_gate.cli.printing import put_error, put_line
from sbir_gate.cli.streams import guard_streams
from sbir_gate.errors import ExitStatus, InputError, SbirGateError

_OF_A_PATH = (errno.ENAMETOOLONG, errno.ELOOP, errno.EACCES, errno.EPERM)

# verb -> where its command is, and the line that --help shows without loading it
VERBS = {
    "run": ("sbir_gate.cli.run:run", "Benchmark, compare with the baseline or base, and report the verdict."),
    "diff": ("sbir_gate.cli.diff:diff", "Compare two saved Runs without measuring."),
    "report": ("sbir_gate.cli.report:report", "Regenerate the report of a saved Run."),
    "init": ("sbir_gate.cli.init:init", "Set up a gate in your repository: settings, fixture, workflow."),
    "check-engine": (
        "sbir_gate.cli.check_engine:check_engine",
        "Check on a few awards that an engine keeps the contract.",
    ),
    "trial": (
        "sbir_gate.cli.trial:trial",
        "Show what the gate finds with your engine and fixture on this machine.",
    ),
    "enrich": ("sbir_gate.cli.enrich:enrich", "Link real files of awards to recipients."),
    "quality": ("sbir_gate.cli.quality:quality", "Report the quality of the links in an enriched file."),
    "explain": ("sbir_gate.cli.explain:explain", "Explain why an award is linked, or is not."),
    "label": ("sbir_gate.cli.label:label", "Label doubtful awards, and estimate precision and recall."),
    "fixture": (
        "sbir_gate.cli.fixture:fixture",
        "Show what the fixture represents, or draw a newer one.",
    ),
    "baseline": ("sbir_gate.cli.baseline:baseline", "Show, promote or verify the baseline of a gate."),
    "history": (
        "sbir_gate.cli.history:history",
        "List past Runs, query metrics and trends, or import and share Runs.",
    ),
    "dashboard": ("sbir_gate.cli.dashboard:dashboard", "Write the history as one HTML page of trends."),
    "publish": (
        "sbir_gate.cli.publish:publish",
        "Publish a saved verdict: pull request comment, check, job summary, outputs, Slack.",
    ),
    "data": (
        "sbir_gate.cli.data:data",
        "Download published data, profile a database dump, or generate benchmark data.",
    ),
    "checklist": ("sbir_gate.cli.checklist:checklist", "Print what is open before a deployment."),
    "doctor": ("sbir_gate.cli.doctor:doctor", "Find configuration mistakes without measuring."),
    "action": ("sbir_gate.cli.action:action", "Steps of the GitHub Action, called by workflows."),
    "config": ("sbir_gate.cli.config:config", "Show the effective settings and the source of each value."),
    "help": ("sbir_gate.cli.help:help_", "Show a page of the documentation."),
}

EPILOG = """\b
Examples:
  sbir-gate run
  sbir-gate enrich --awards awards.csv --recipients recipients.parquet --output linked.parquet
  sbir-gate diff baselines/enrichment.json reports/benchmarks/20260101T120000Z.json

Exit status: 0 pass or warn, 1 the gate failed, 2 wrong usage, configuration or input,
3 the enricher or sbir-gate itself failed, 4 inconclusive (only with --fail-on inconclusive).

Completion for bash: eval "$(_SBIR_GATE_COMPLETE=bash_source sbir-gate)" (also zsh_source, fish_source).
"""


class _Verbs(click.Group):
    """A group that loads a verb's module only when the verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- as above
        if cmd_name not in VERBS:
            return None
        module, _, name = VERBS[cmd_name][0].partition(":")
        command = getattr(import_module(module), name)
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the verb; an unknown one is refused with those that are spelled like it."""
        if not ctx.resilient_parsing and args[0] not in VERBS and not args[0].startswith("-"):
            raise click.exceptions.NoSuchCommand(args[0], possibilities=VERBS, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- as above
        with formatter.section("Commands"):
            formatter.write_dl([(verb, line) for verb, (_, line) in VERBS.items()])


@click.group(cls=_Verbs, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sbir-gate")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def application(debug: bool) -> None:
    """Check on every change that linking SBIR awards is not slower, less accurate or heavier on memory."""
    if debug:
        os.environ["SBIR_GATE_DEBUG"] = "1"


def main() -> NoReturn:
    """Run the program and end the process with its exit status."""
    interruption = Interruption()
    interruption.watch()
    output = guard_streams()
    status = exit_status(interruption)
    sys.stdout.flush()
    if output is not None and output.fault is not None:
        status = _unprinted(output.fault, status)
    sys.exit(status)


def _unprinted(fault: OSError, status: int) -> int:
    """Report that standard output could not be written completely; keep a status above 0."""
    _explain(
        f"standard output: cannot be written ({fault.strerror})", "free some space, or redirect the output"
    )
    return status or ExitStatus.BROKEN


def exit_status(
    interruption: Interruption, arguments: Sequence[str] | None = None, program: str | None = None
) -> int:
    """Run a verb and return its exit status; print an error as one line.

    Without `arguments` and `program` those of this process are used.
    """
    try:
        result = application.main(arguments, program, standalone_mode=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitStatus.OK
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 -- the outermost edge: a bug is one line too
        if interruption.has_come:
            put_line("; ".join(["interrupted", *_notes(error)]), is_error=True)
            return interruption.exit_status
        return _failure(error, sys.argv[1:] if arguments is None else arguments)
    return result if isinstance(result, int) else ExitStatus.OK


def _failure(error: BaseException, arguments: Sequence[str]) -> ExitStatus:
    """Explain the error in one line and return its exit status."""
    if isinstance(error, OSError) and error.errno in _OF_A_PATH and error.filename is not None:
        # whoever looked at a path that was given has left this to the edge
        problem = f"cannot be used ({error.strerror})"
        error = InputError(
            problem, "check the path, and that you may use it", path=os.fsdecode(error.filename)
        )
    if isinstance(error, SbirGateError):
        from sbir_gate.cli.options import name_options

        name_options(error)
        *others, (text, hint) = error.lines
        for line in others:
            put_error(*line)
        _explain(text, "; ".join(filter(None, [hint, *_notes(error)])))
        return error.exit_status
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        put_line(error.format_message(), is_error=True)
        return ExitStatus.WRONG_INPUT
    if isinstance(error, click.ClickException):
        names = click.exceptions.NoSuchCommand | click.NoSuchOption
        if isinstance(error, names) and error.possibilities:
            _explain(error.message.rstrip("."), f"did you mean {error.possibilities[0]}?")
        else:
            _explain(error.format_message().rstrip("."), f"see '{_called(arguments)} --help'")
        return ExitStatus.WRONG_INPUT
    if isinstance(error, click.Abort):
        put_line("", is_error=True)  # the cursor is behind the question
        _explain("the input ended before all questions were answered", "answer them with options")
        return ExitStatus.WRONG_INPUT
    _explain(
        f"sbir-gate broke: {type(error).__name__}: {error}",
        "this is a bug in sbir-gate: run 'sbir-gate --debug ...' for the traceback and report it",
    )
    return ExitStatus.BROKEN


def _called(arguments: Sequence[str]) -> str:
    """Return the command that the arguments call, with the group that it is in."""
    command: click.Command | None = application
    called = ["sbir-gate"]
    for word in arguments:
        if not isinstance(command, click.Group) or word.startswith("-"):
            continue
        command = command.get_command(click.Context(command), word)
        called += [word] if command is not None else []
    return " ".join(called)


def _notes(error: BaseException) -> list[str]:
    """Return the notes added to the error, such as which partial results are kept."""
    return list(getattr(error, "__notes__", []))


def _explain(message: str, hint: str) -> None:
    if os.environ.get("SBIR_GATE_DEBUG"):
        traceback.print_exc()
    put_error(message, hint)


_UNTOUCHED = (signal.SIG_DFL, signal.default_int_handler)


class Interruption:
    """Records that the program received a stop signal.

    The signal raises KeyboardInterrupt, but DuckDB, interrupted in a query, raises its own error instead.
    """

    def __init__(self) -> None:
        self._number = 0

    def watch(self) -> None:
        """Take the signals over, except where whoever started the program has them ignored (nohup)."""
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) in _UNTOUCHED:
                signal.signal(number, self._stop)

    @property
    def has_come(self) -> bool:
        """Say whether a signal has come."""
        return self._number > 0

    @property
    def exit_status(self) -> int:
        """Return what a shell reports for the signal: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self._number

    def _stop(self, number: int, _frame: FrameType | None) -> NoReturn:
        self._number = number
        raise KeyboardInterrupt
