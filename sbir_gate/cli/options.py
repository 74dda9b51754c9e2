"""Options that several verbs share, and how they become settings."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from sbir_gate.cli.completion import complete_key, complete_ref
from sbir_gate.cli.printing import put_line
from sbir_gate.errors import SbirGateError, UsageError
from sbir_gate.remote_paths import is_address, path_of
from sbir_gate.wrong_input import did_you_mean

if TYPE_CHECKING:
    from sbir_gate.gate.commit_files import PolicyRequest
    from sbir_gate.gate.storing.merge_base import BaseName
    from sbir_gate.settings.effective import EffectiveSettings

_TARGET_BRANCH_VARIABLE = "GITHUB_BASE_REF"

F = TypeVar("F", bound=Callable[..., object])

_SENTENCE = 1000  # characters, more than any sentence has

_JOB_COMMAND = (
    *("{python}", "-m", "sbir_gate", "enrich", "--through", "dagster", "--quiet"),
    *("--awards", "{awards}", "--recipients", "{recipients}", "--output", "{output}"),
    *("--metrics", "{metrics}"),
)


class FilePath(click.Path):
    """A path given as an option; an empty one would mean the current folder.

    It may be the address of remote storage where it `may_be_remote`.
    """

    def __init__(self, *, may_be_remote: bool = False) -> None:
        super().__init__(path_type=Path)
        self._may_be_remote = may_be_remote

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """Return the path. Raises click's BadParameter for an empty one, UsageError for an address."""
        if not os.fspath(value):
            self.fail("the path is empty: name a file, or omit the option", param, ctx)
        if is_address(os.fspath(value)):
            if self._may_be_remote:
                return path_of(os.fspath(value))
            self.fail("must be a path on this machine, not an address", param, ctx)
        return super().convert(value, param, ctx)


class NewFile(FilePath):
    """A file to write that cannot be standard output."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """Return the path. Raises click's BadParameter for `-` besides."""
        if os.fspath(value) == "-":
            self.fail("cannot be standard output: name a file", param, ctx)
        return super().convert(value, param, ctx)


class Group(click.Group):
    """Commands within a command: the help has the first sentence of each, whole."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their sentences."""
        with formatter.section("Commands"):
            names = self.list_commands(ctx)
            sentences = (self.commands[name].get_short_help_str(_SENTENCE) for name in names)
            formatter.write_dl(list(zip(names, sentences, strict=True)))


class FiniteRange(click.FloatRange):
    """A number within limits; `nan` and `inf` are none."""

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number. Raises click's BadParameter for one beyond the limits."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


class Choice(click.Choice[str]):
    """One of a few words; for any other, the one that was probably meant is suggested."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word. Raises UsageError for one that is not among the choices."""
        if value not in self.choices:
            name = param.opts[0] if isinstance(param, click.Option) else ""
            hint = did_you_mean(value, self.choices) or "choose one of them"
            raise UsageError(f"must be one of {', '.join(self.choices)}", hint, path=name, value=value)
        return super().convert(value, param, ctx)


def settings_options(function: F) -> F:
    """Add --config and --set."""
    function = click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="KEY=VALUE",
        shell_complete=complete_key,
        help="Set one value, e.g. --set gate.max_lost=3. Repeatable.",
    )(function)
    return click.option(
        "--config", "config_file", type=FilePath(), help="Settings file (YAML) that overrides the defaults."
    )(function)


def policy_from_option(function: F, more: str = "") -> F:
    """Add --policy-from; `more` is what its help says besides."""
    return click.option(
        "--policy-from",
        "policy_from",
        metavar="REF",
        shell_complete=complete_ref,
        help="Read limits, waivers and baseline from the merge base with REF, "
        "e.g. origin/main, not from the working tree." + more,
    )(function)


def base_name(ref: str) -> BaseName:
    """Return the base named by --base; if empty, the pull request's target branch or the default branch."""
    from sbir_gate.gate.interface import named_base

    named = named_base(ref)
    return replace(named, ref=named.ref or None, target_branch=os.environ.get(_TARGET_BRANCH_VARIABLE, ""))


def policy_request(
    ref: str | None, config_file: Path | None, assignments: Sequence[str], options: Mapping[str, object]
) -> PolicyRequest | None:
    """Return where the policy is read from; None for the working tree."""
    if ref is None:
        return None
    from sbir_gate.gate.commit_files import PolicyRequest
    from sbir_gate.gate.interface import named_base

    return PolicyRequest(named_base(ref), Path.cwd(), config_file, os.environ, options, assignments)


history_source_option = click.option(
    "--history",
    "source",
    metavar="DIR|BRANCH",
    help="Folder of the history, or its branch on history.remote; default: history.folder.",
)


def change_points_option(function: F) -> F:
    """Add --change-points."""
    return click.option(
        "--change-points/--no-change-points",
        "wants_changes",
        default=None,
        help="Find lasting changes of level. Needs the extra 'history'; default: on if installed.",
    )(function)


def has_change_points(wants_changes: bool | None) -> bool:
    """Say whether to look for change points; where it was not said, warn if the extra is missing."""
    if wants_changes is not None:
        return wants_changes
    from sbir_gate.gate.comparing.change_points import check_extra

    try:
        check_extra()
    except UsageError as error:
        put_line(f"warning: {error.message}; {error.hint}", is_error=True)
        return False
    return True


def quiet_option(function: F) -> F:
    """Add --quiet."""
    return click.option(
        "--quiet", "-q", is_flag=True, help="Print no progress and no summary; warnings and results stay."
    )(function)


def effective_settings(
    config_file: Path | None, assignments: Sequence[str], options: Mapping[str, object]
) -> EffectiveSettings:
    """Return the settings of all layers; an option of None was not given."""
    # as in every verb, imports are deferred so that --help is fast
    from sbir_gate.settings.effective import load_settings

    return load_settings(config_file, os.environ, options, assignments)


# what sets a key, in every command that can
_OPTION_OF = {
    "fixtures.awards": "--awards",
    "fixtures.recipients": "--recipients",
    "fixtures.truth": "--truth",
    "enricher.command": "the engine's command",
    "enricher.python": "--python",
    "gate.baselines_folder": "--baselines",
    "reports.folder": "--reports",
    "benchmark.repeats": "--repeats",
    "benchmark.min_pairs": "--pairs",
    "benchmark.max_pairs": "--pairs",
    "benchmark.max_seconds": "--max-seconds",
    "enrichment.cluster": "--cluster",
    "enrichment.performance.workers": "--workers",
}


def name_options(error: SbirGateError) -> None:
    """Name what the user gave, an option, in place of the key that it sets."""
    from sbir_gate.settings.entries import KEYS_HINT
    from sbir_gate.settings.layers import COMMAND_LINE

    given = [fault for fault in error.faults if fault.path == COMMAND_LINE and fault.column in _OPTION_OF]
    error.faults = tuple(
        replace(fault, path=_OPTION_OF[fault.column], column="") if fault in given else fault
        for fault in error.faults
    )
    if len(given) == len(error.faults) and error.hint == KEYS_HINT:
        error.hint = ""


def check_dagster() -> None:
    """Raise UsageError if Dagster is not installed."""
    if find_spec("dagster") is None:
        raise UsageError(
            "--through dagster: Dagster is not installed",
            "install the extra `dagster`, or: pip install dagster",
        )


def has_colour() -> bool:
    """Say whether standard output takes colours: a terminal, unless NO_COLOR or FORCE_COLOR decides.

    NO_COLOR wins over FORCE_COLOR. Sources: no-color.org, force-color.org.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def through_options(
    through: str | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    options: Mapping[str, object],
) -> dict[str, object]:
    """Return the options that make the Dagster job the enricher, as a separate gate.

    Empty if `through` is None. Raises UsageError if another enricher is set or Dagster is not installed.
    """
    if through is None:
        return {}
    check_dagster()
    settings = effective_settings(config_file, assignments, options).settings
    if settings.enricher.command is not None:
        raise UsageError(
            "--through dagster runs the built-in engine, but another enricher is set",
            "remove --enricher and enricher.command",
        )
    command = [*_JOB_COMMAND, *(f"--set={assignment}" for assignment in assignments)]
    if config_file is not None:
        command.append(f"--config={config_file.resolve()}")
    return {
        "enricher.command": tuple(command),
        "enricher.python": sys.executable,
        "gate.name": f"{settings.gate.name}-dagster",
    }
