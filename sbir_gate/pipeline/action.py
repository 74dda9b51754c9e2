"""The GitHub Action step by step: what an event asks for, measuring without a token, and the last word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from sbir_gate.datasets.fetching import FetchRequest, Source
from sbir_gate.documents import load_verdict
from sbir_gate.errors import ExitStatus, SbirGateError, ToolError, UsageError
from sbir_gate.gate.commit_files import PolicyRequest, commit_settings
from sbir_gate.gate.comparing.gate import exit_status
from sbir_gate.gate.conclusion import VERDICT_NAME, GateResult, discard_verdict, leave_error
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.main_branch import is_main_branch
from sbir_gate.gate.policy import commit_judgement
from sbir_gate.gate.publish import Channels
from sbir_gate.gate.publishing.event import Event
from sbir_gate.gate.reporting.messages import text
from sbir_gate.gate.run import Progress, run_gate
from sbir_gate.gate.side_by_side import run_beside_base
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.merge_base import BaseName
from sbir_gate.gate.storing.references import note_default_branch
from sbir_gate.model.run import Source as MeasuredSource
from sbir_gate.pipeline.working_folder import folder_name, job_key, plain_name, working_folder
from sbir_gate.settings.action_inputs import ActionInputs, FailOn, InputMode
from sbir_gate.settings.base_settings import Given
from sbir_gate.settings.effective import EffectiveSettings, default_settings, load_settings

_MODES: Mapping[str, InputMode] = {
    "pull_request": InputMode.PR,
    "merge_group": InputMode.PR,
    "push": InputMode.BASELINE,
    "workflow_dispatch": InputMode.FULL,
    "schedule": InputMode.FULL,
    "workflow_run": InputMode.COMMENT,
}
TEMPORARY_VARIABLE = "RUNNER_TEMP"
# what a full run is called where no gate is named: its figures are not those of the fixtures
FULL_GATE = "full"
# of full data there is no truth, and one pass over it says enough
_FULL_ASSIGNMENTS = (
    "fixtures.truth=null",
    "fixtures.draw=null",
    "gate.match_rate_of=fixture",
    "benchmark.repeats=1",
    "benchmark.warm_ups=0",
    "enrichment.performance.timeout_seconds=21600",
)

Fetch = Callable[[FetchRequest, EffectiveSettings], Path]
"""Downloads awards or recipients and returns where they are."""


def mode_of(inputs: ActionInputs, event: Event) -> InputMode:
    """Return what is to be done, never `auto`.

    Raises UsageError for an event that nothing can be done on, and for `pull_request_target`: there the code
    of a pull request would run with a token that may write.
    """
    if event.name == "pull_request_target":
        raise UsageError(
            "on pull_request_target the code of the pull request would run with a token that may write",
            "let the workflow run on pull_request, and comment on forks from workflow_run",
        )
    if inputs.mode is not InputMode.AUTO:
        return inputs.mode
    mode = _MODES.get(event.name)
    if mode is None:
        raise UsageError(
            f"input mode: auto knows nothing to do on the event {event.name}", "set the input mode"
        )
    return mode


@dataclass(frozen=True, slots=True)
class ActionEdges:
    """What the measuring step needs of the world: the gate's edges, git here, the environment, downloads."""

    gate: Edges
    git: Git
    environment: Mapping[str, str]
    fetch: Fetch


def reports_folder(inputs: ActionInputs, environment: Mapping[str, str]) -> Path:
    """Return where the steps hand the documents on to one another: outside of the checkout.

    A change may bring files and settings along: no verdict of its own must lie where the true one is.
    """
    temporary = environment.get(TEMPORARY_VARIABLE, "")
    if not temporary:
        raise UsageError(
            f"${TEMPORARY_VARIABLE} is not set: not running on a GitHub runner",
            "call 'sbir-gate run' instead",
        )
    name = "-".join(filter(None, (inputs.gate, folder_name(inputs))))
    return Path(temporary) / "sbir-gate-reports" / (name or "default")


def on_branch(edges: Edges, event: Event) -> Edges:
    """Return the edges with the branch and the pull request that the event is about.

    What a runner checks out is on no branch, and of a pull request it is a merge.
    """
    branch = event.branch or event.base_ref

    def source() -> MeasuredSource:
        found = edges.source()
        return replace(found, branch=branch, pull_request=event.pull_number or found.pull_request)

    return replace(edges, source=source)


def options_of(inputs: ActionInputs, environment: Mapping[str, str]) -> Mapping[str, object]:
    """Return the settings of the inputs by key; None for an omitted input.

    Raises UsageError.
    """
    reports = reports_folder(inputs, environment)
    return {
        "gate.name": inputs.gate or None,
        "enricher.command": inputs.enricher or None,
        "enricher.python": str(inputs.python) if inputs.python else None,
        "reports.folder": str(reports),
        "history.folder": str(reports / "history"),
    }


def settings_of(
    inputs: ActionInputs,
    environment: Mapping[str, str],
    options: Mapping[str, object] = MappingProxyType({}),
    assignments: Sequence[str] = (),
) -> EffectiveSettings:
    """Return the settings of a step, with those of the inputs. Raises ConfigurationError, UsageError."""
    given = {**options_of(inputs, environment), **options}
    return load_settings(inputs.config, environment, given, assignments)


def measure(inputs: ActionInputs, event: Event, edges: ActionEdges, progress: Progress) -> GateResult | None:
    """Measure and judge as the event asks for; None where there is nothing to measure.

    Whatever goes wrong leaves a verdict `error` with its reason, and is raised.
    """
    mode = mode_of(inputs, event)
    if mode is InputMode.COMMENT:
        return None
    edges = replace(edges, gate=on_branch(edges.gate, event))
    note_default_branch(edges.git, event.default_branch)
    reports = reports_folder(inputs, edges.environment)
    discard_verdict(reports)
    try:
        working_folder(inputs, edges.environment)  # says why it could not be entered
        effective = settings_of(inputs, edges.environment)
        if mode is InputMode.PR:
            return _measure_change(inputs, event, effective, edges, progress)
        if _has_full_data(inputs, event):
            effective = _with_full_data(inputs, effective, edges)
        # what the main branch holds was merged, and may start a new baseline
        is_merged = mode is InputMode.BASELINE and is_main_branch(event, effective.settings, edges.git)
        return run_gate(effective, edges.gate, progress, is_merged=is_merged)
    except SbirGateError as error:
        if not (reports / VERDICT_NAME).is_file():  # the gate leaves one itself, once it has begun
            effective = publishing_settings(inputs, event, edges.environment, edges.git)
            leave_error(reports, effective.settings.gate.name, edges.gate, error)
        raise


def _measure_change(
    inputs: ActionInputs, event: Event, effective: EffectiveSettings, edges: ActionEdges, progress: Progress
) -> GateResult:
    """Judge a change by the policy of the commit in which it left its base, and beside it if asked for."""
    named, options = base_name(inputs, event, edges.git), options_of(inputs, edges.environment)
    if inputs.side_by_side:
        given = Given(inputs.config, edges.environment, options, ())
        return run_beside_base(effective, given, named, edges.git, edges.gate, progress)
    if not (named.ref or named.target_branch):
        raise UsageError("input base: there is none, and the event names none", "name the target branch")
    request = PolicyRequest(named, Path.cwd(), inputs.config, edges.environment, options, ())
    return run_gate(effective, edges.gate, progress, request)


def _has_full_data(inputs: ActionInputs, event: Event) -> bool:
    """Say whether published data is measured, and not the fixtures."""
    return mode_of(inputs, event) is InputMode.FULL and inputs.dataset != "sample"


def _with_full_data(
    inputs: ActionInputs, effective: EffectiveSettings, edges: ActionEdges
) -> EffectiveSettings:
    """Return the settings of a run over the published data, which is downloaded."""
    url = None if inputs.dataset == "full" else inputs.dataset
    awards = edges.fetch(FetchRequest(Source.AWARDS), effective)
    recipients = edges.fetch(FetchRequest(Source.RECIPIENTS, url=url), effective)
    return settings_of(
        inputs,
        edges.environment,
        {
            "gate.name": inputs.gate or FULL_GATE,
            "fixtures.awards": str(awards),
            "fixtures.recipients": str(recipients),
        },
        _FULL_ASSIGNMENTS,
    )


def base_name(inputs: ActionInputs, event: Event, git: Git) -> BaseName:
    """Return how the base of a change is named, within what the event says of its base branch.

    Where GitHub's own merge of the change is checked out, the base is what it was merged with: that may be
    newer than `pull_request.base.sha`.
    """
    bounds = [event.base_sha] if event.base_sha else []
    if bounds and event.merge_sha:
        merged = git.ask("rev-parse", "--verify", "--quiet", f"{event.merge_sha}^2").line
        if merged == event.head_sha:
            bounds.append(git.ask("rev-parse", f"{event.merge_sha}^1").line)
    return BaseName(inputs.base or None, event.base_ref, tuple(bounds))


def judging_settings(
    inputs: ActionInputs, event: Event, environment: Mapping[str, str], git: Git
) -> EffectiveSettings:
    """Return the settings for judging and publishing: of a change, with the policy of its base.

    Raises what reading the settings raises.
    """
    name = {"gate.name": inputs.gate or FULL_GATE} if _has_full_data(inputs, event) else {}
    effective = settings_of(inputs, environment, name)
    if not _has_base(inputs, event):
        return effective
    request = _policy_request(inputs, event, environment, git, options_of(inputs, environment))
    return commit_judgement(request, effective, has_baseline=False)[0]


def _has_base(inputs: ActionInputs, event: Event) -> bool:
    return mode_of(inputs, event) is InputMode.PR and bool(inputs.base or event.base_ref)


def _policy_request(
    inputs: ActionInputs,
    event: Event,
    environment: Mapping[str, str],
    git: Git,
    options: Mapping[str, object],
) -> PolicyRequest:
    named = base_name(inputs, event, git)
    return PolicyRequest(named, Path.cwd(), inputs.config, environment, options, ())


def publishing_settings(
    inputs: ActionInputs, event: Event, environment: Mapping[str, str], git: Git
) -> EffectiveSettings:
    """Return the settings for publishing, even if those of the checkout are invalid.

    The error is in the verdict then, and is published under the usual name: a change that breaks the settings
    is published with those of its base. Where there are none either, the defaults have to do.
    """
    reports = reports_folder(inputs, environment)
    options = {
        "gate.name": inputs.gate or (FULL_GATE if _has_full_data(inputs, event) else None),
        "reports.folder": str(reports),
        "history.folder": str(reports / "history"),
    }
    with suppress(SbirGateError):
        return judging_settings(inputs, event, environment, git)
    if _has_base(inputs, event):
        with suppress(SbirGateError):
            return commit_settings(_policy_request(inputs, event, environment, git, options))
    return default_settings(options)


@dataclass(frozen=True, slots=True)
class Upload:
    """What is uploaded: the name of the artifact, unique in its run, and the paths; `is_wanted` if at all."""

    is_wanted: bool
    name: str
    paths: str


def upload_of(inputs: ActionInputs, event: Event, environment: Mapping[str, str]) -> Upload:
    """Return the outputs for the upload step. The history has a branch of its own.

    The artifact is named after the gate; the job in its name keeps legs of a matrix apart, since no two
    artifacts of a run can have one name.
    """
    folder = reports_folder(inputs, environment)
    gate = inputs.gate or "default"
    with suppress(SbirGateError):
        gate = load_verdict(folder / VERDICT_NAME).gate
    return Upload(
        is_wanted=inputs.artifact and (folder / VERDICT_NAME).is_file(),
        name=f"sbir-gate-{plain_name(gate)}-{job_key(inputs, environment)}-{event.run_attempt}",
        paths=f"{folder}\n!{folder / 'history'}",
    )


def channels_of(inputs: ActionInputs, event: Event, has_webhook: bool) -> Channels:
    """Return the channels for the verdict.

    Slack gets nothing for pull requests: their authors have the comment.
    """
    return Channels(
        has_comment=inputs.comment,
        has_check=inputs.check,
        has_slack=has_webhook and mode_of(inputs, event) in {InputMode.BASELINE, InputMode.FULL},
    )


def last_word(reports: Path, fail_on: FailOn) -> tuple[ExitStatus, str]:
    """Return the status that the job ends with, and why, from the saved verdict.

    Raises ToolError where there is no verdict that can be read: a gate that says nothing has not passed.
    """
    path = reports / VERDICT_NAME
    try:
        verdict = load_verdict(path)
    except SbirGateError as error:
        raise ToolError(
            f"the gate gave no verdict ({error.message})", "the log of the step that measures says why"
        ) from error
    status = exit_status(verdict, fail_on is FailOn.INCONCLUSIVE)
    words = f"{verdict.gate}: {verdict.outcome}"
    if verdict.deciding:
        words += f": {text(verdict.deciding[0])}"
    if fail_on is FailOn.NOTHING and status in {ExitStatus.GATE_FAILED, ExitStatus.INCONCLUSIVE}:
        return ExitStatus.OK, f"{words} (fail-on is nothing: the job goes on)"
    return status, words
