"""The verdict on what an untrusted job of a fork measured.

Of what that job uploaded only Run documents are read, within limits. Which pull request they are about is
what GitHub says, never what they say; the verdict is judged here, by the policy that is checked out here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

from sbir_gate.documents import load_run
from sbir_gate.errors import DocumentError, InputError, PublishError, UsageError
from sbir_gate.gate.conclusion import write_verdict
from sbir_gate.gate.edges import describe_commit
from sbir_gate.gate.fork_claims import Known, unproven_claims
from sbir_gate.gate.history import consult_history
from sbir_gate.gate.policy import Judgement, incomparable, judged_with_history, own_judgement
from sbir_gate.gate.publishing.event import Event, Trigger
from sbir_gate.gate.publishing.github import Pull, Pulls
from sbir_gate.gate.saved_verdict import Saved
from sbir_gate.gate.storing.sessions import paths_beside, run_order
from sbir_gate.model.companions import Companions, companions_of
from sbir_gate.model.finding import Finding, Rule, Severity
from sbir_gate.model.git import AsksGit
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Verdict
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.schema import Settings

MAX_ENTRIES = 1000
MAX_RUNS = 100
MAX_BESIDE = 10
MAX_METRICS = 1000
MAX_SAMPLES = 1000

_FOLDER_OF_RUNS = "benchmarks"
_MESSAGE_CHARACTERS = 300
_MIB = 1024 * 1024
_TAMPERED = "nothing was published: look at what the job of the fork did"


def find_pull(event: Event, github: Pulls) -> tuple[Pull, Trigger]:
    """Return the open pull request that the triggering run measured, by its commit and repository.

    Raises UsageError for another event, PublishError if there is no such pull request, or more than one, or
    if it has moved on, GitHubError if GitHub does not say.
    """
    trigger = event.trigger
    if trigger is None:
        raise UsageError(
            f"--untrusted is for the event workflow_run, and this is {event.name}",
            "see 'Forks' in 'sbir-gate help publishing'",
        )
    if trigger.event != "pull_request":
        raise PublishError(
            f"the run {trigger.run_id} was not started by a pull request, but by {trigger.event}",
            "let the job run only if github.event.workflow_run.event is 'pull_request'",
        )
    if not trigger.head_repository:
        raise PublishError(f"the repository that {trigger.head_sha[:12]} came from is gone", _TAMPERED)
    owner = trigger.head_repository.partition("/")[0]
    known = {pull.number: pull for pull in github.pulls_of_commit(trigger.head_sha)}
    if trigger.head_branch:
        known |= {pull.number: pull for pull in github.pulls_of_branch(owner, trigger.head_branch)}
    found = [pull for pull in known.values() if _is_of(pull, trigger, event.repository)]
    if len(found) != 1:
        numbers = ", ".join(f"#{pull.number}" for pull in found) or "none"
        raise PublishError(
            f"{trigger.head_sha[:12]} is the head of no single open pull request ({numbers})",
            "nothing was published: it was closed, or has moved on and its newer run will tell",
        )
    return found[0], trigger


def take_runs(folder: Path, gate: str, max_mib: int) -> tuple[Run, Companions]:
    """Return the newest Run of a gate in an untrusted folder, and those measured beside it.

    Raises InputError for a folder that holds what it should not, DocumentError for a damaged Run.
    """
    paths, max_bytes = _run_paths(folder), max_mib * _MIB
    newest = _newest(reversed(paths), gate, max_bytes)
    if newest is None:
        raise InputError(f"every Run is of another gate than {gate}", _TAMPERED, path=folder)
    head_path, head = newest
    if head.fixture.commit:
        raise InputError("the newest Run is not of the change's own fixture", _TAMPERED, path=folder)
    beside = paths_beside(head_path, paths)
    if len(beside) > MAX_BESIDE:
        raise InputError(f"more than {MAX_BESIDE} Runs of one second are in it", _TAMPERED, path=folder)
    return head, companions_of(head, [_taken(path, max_bytes) for path in beside])


def _newest(paths: Iterable[Path], gate: str, max_bytes: int) -> tuple[Path, Run] | None:
    for path in paths:
        run = _taken(path, max_bytes)
        if run.gate == gate:
            return path, run
    return None


def judge_untrusted(
    folder: Path, effective: EffectiveSettings, event: Event, github: Pulls, git: AsksGit, today: date
) -> tuple[Saved, Event]:
    """Return the verdict on what the folder holds, judged here, and the event to publish it under.

    `git` runs in this checkout. Verdict and report are written to the folder of reports. Raises what
    `find_pull` and `take_runs` raise.
    """
    settings = effective.settings
    reports = settings.reports.folder
    if reports.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            "reports would be written into an untrusted folder", "name another --reports", path=reports
        )
    pull, trigger = find_pull(event, github)
    head, companions = take_runs(folder, settings.gate.name, settings.publishing.untrusted_max_mib)
    # whatever the document claims: GitHub knows which commit was built
    source = replace(head.source, commit=trigger.head_sha, branch=pull.head_ref, pull_request=pull.number)
    # of the overrides a command is made that people copy: nothing in it may be a stranger's
    head = replace(head, source=source, overrides={})
    try:
        judgement = own_judgement(effective, has_baseline=companions.base is None)
        known = Known(effective, git, github, pull.number, judgement.rules.baseline is not None, today)
        verdict = _verdict(head, companions, judgement, effective.settings, today)
        if claims := tuple(unproven_claims(head, companions, known)):
            verdict = incomparable(verdict, *claims)
        write_verdict(reports, head, verdict, partial(describe_commit, git))
    except (ArithmeticError, ValueError) as error:
        raise InputError(f"the Run cannot be judged ({type(error).__name__})", _TAMPERED) from error
    told = replace(
        event,
        pull_number=pull.number,
        base_ref=pull.base_ref,
        head_sha=trigger.head_sha,
        run_id=trigger.run_id,
        run_attempt=trigger.run_attempt,
        job="",  # the jobs of that run are not known here
        is_fork=False,  # the token of this half is this repository's own
    )
    return Saved(reports, verdict, head, None), told


def _verdict(
    head: Run, companions: Companions, judgement: Judgement, settings: Settings, today: date
) -> Verdict:
    verdict = judged_with_history(judgement, head, companions, settings, today)
    verdict = consult_history(head, verdict, settings).verdict
    return verdict.found(Finding(Rule.MEASURED_BY_FORK, Severity.INFO))


def _is_of(pull: Pull, trigger: Trigger, repository: str) -> bool:
    return (
        pull.is_open
        and pull.head_sha == trigger.head_sha
        and pull.head_repository.lower() == trigger.head_repository.lower()
        and pull.base_repository.lower() == repository.lower()
    )


def _run_paths(folder: Path) -> list[Path]:
    """Return the Run documents of a folder, the oldest first; nothing else in it is looked at.

    It holds the reports of a job, or what is in them, or a folder with them for each artifact.
    """
    top = _entries(folder)
    folders = [folder, *(entry for entry in top if entry.is_dir())]
    folders += [each / _FOLDER_OF_RUNS for each in folders[1:] if (each / _FOLDER_OF_RUNS).is_dir()]
    found = [
        (order, path)
        for each in dict.fromkeys(folders)
        for path in (top if each == folder else _entries(each))
        if (order := run_order(path))
    ]
    for _, path in found:
        if not path.is_file():
            raise InputError("is not a regular file", _TAMPERED, path=path)
    if not found:
        raise InputError("there is no Run in it", "the job of the fork broke before it measured", path=folder)
    if len(found) > MAX_RUNS:
        raise InputError(f"holds more than {MAX_RUNS} Runs", _TAMPERED, path=folder)
    return [path for _, path in sorted(found)]


def _entries(folder: Path) -> list[Path]:
    """Return what is in a folder; links are refused, not followed."""
    found: list[Path] = []
    try:
        if folder.is_symlink():
            raise InputError("is a link", _TAMPERED, path=folder)
        with os.scandir(folder) as entries:
            for entry in entries:
                if len(found) >= MAX_ENTRIES:
                    raise InputError(f"holds more than {MAX_ENTRIES:,} files", _TAMPERED, path=folder)
                if entry.is_symlink():
                    raise InputError("there is a link in it", _TAMPERED, path=folder)
                found.append(folder / entry.name)
    except OSError as error:
        raise InputError(
            f"cannot be listed ({error.strerror})", "name the folder of the downloaded artifact", path=folder
        ) from error
    return found


def _taken(path: Path, max_bytes: int) -> Run:
    try:
        run = load_run(path, max_bytes)
    except DocumentError as error:
        # it may quote what the document says: a line of its own would be a command to the runner
        message = " ".join(error.message.split())[:_MESSAGE_CHARACTERS]
        raise DocumentError(message, _TAMPERED) from None
    if len(run.metrics) > MAX_METRICS or len(run.samples) > MAX_SAMPLES:
        raise InputError("holds more metrics or samples than any benchmark", _TAMPERED, path=path)
    return run
