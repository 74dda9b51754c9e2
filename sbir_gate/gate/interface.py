"""The gate from Python and from the command line: run it here, or judge saved Runs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from sbir_gate.documents import load_run
from sbir_gate.gate.baseline import commit_to_measure, quick_look
from sbir_gate.gate.commit_files import PolicyRequest
from sbir_gate.gate.conclusion import GateResult
from sbir_gate.gate.edges import real_edges
from sbir_gate.gate.policy import Judgement, judged_with_history
from sbir_gate.gate.rendering import Judged
from sbir_gate.gate.run import Progress, run_gate
from sbir_gate.gate.saved_runs import judgement_again, saved_base
from sbir_gate.gate.side_by_side import run_beside_base
from sbir_gate.gate.storing.git import CHECKOUT_SECONDS, Git
from sbir_gate.gate.storing.merge_base import BaseName
from sbir_gate.gate.storing.references import settled
from sbir_gate.gate.storing.sessions import load_companions
from sbir_gate.model.companions import Companions
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Verdict
from sbir_gate.settings.base_settings import Given
from sbir_gate.settings.effective import EffectiveSettings, load_settings
from sbir_gate.settings.fixture_place import check_fixture_place
from sbir_gate.settings.schema import Settings

_NOTHING: Mapping[str, object] = MappingProxyType({})


def run_here(
    config: str | Path | None = None,
    settings: Mapping[str, object] = _NOTHING,
    *,
    base: str | None = None,
    policy_from: str | None = None,
    progress: Progress = lambda _message: None,
) -> Judged:
    """Measure the enricher on the fixtures, compare, judge, and write Run, verdict and report.

    This is `sbir-gate run` in the current folder. `config` is the settings file, by default the nearest
    sbir-gate.yaml; `settings` maps keys to values over it, such as {"benchmark.repeats": 3}. With `base`, a
    branch, tag or commit, the merge base is measured side by side; without, the stored baseline is compared.
    `policy_from` names a branch or commit whose limits judge. `progress` is called with a message on each
    step.

    A verdict that fails is returned, not raised: look at `judged.verdict.outcome`. Raises ConfigurationError
    for settings, InputError for fixtures, EnricherError for an engine that breaks, UsageError for a base that
    is not there.
    """
    file = None if config is None else Path(config)
    effective = load_settings(file, os.environ, settings)
    request = None
    if policy_from is not None:
        request = PolicyRequest(named_base(policy_from), Path.cwd(), file, os.environ, settings, ())
    given = Given(file, os.environ, settings, ())
    result = judge_here(effective, given, named_base(base) if base is not None else None, request, progress)
    return judged_by(result, effective)


def compare_runs(
    head: str | Path,
    base: str | Path,
    config: str | Path | None = None,
    settings: Mapping[str, object] = _NOTHING,
    *,
    policy_from: str | None = None,
) -> Judged:
    """Judge one saved Run against another; nothing is measured, and nothing is written.

    This is `sbir-gate diff`. `head` and `base` are the paths of saved Runs, such as
    reports/benchmarks/20260101T120000Z.json. The other arguments are those of `run_here`. Raises
    DocumentError for a file that is not a Run.
    """
    file = None if config is None else Path(config)
    return compare_saved(Path(head), Path(base), file, (), settings, policy_from=policy_from)


def compare_saved(
    head: Path,
    base: Path,
    config_file: Path | None,
    assignments: Sequence[str],
    options: Mapping[str, object] = _NOTHING,
    *,
    policy_from: str | None,
) -> Judged:
    """Judge one saved Run against another, by layers of settings as `load_settings` takes them."""
    run, reference = load_run(head), load_run(base)
    settings, judgement = saved_judgement(
        policy_from, run, reference, config_file, assignments, options, is_diff=True
    )
    run, companions = load_companions(head, run).with_reference(run, reference)
    verdict = saved_verdict(run, companions, settings, judgement)
    return Judged(run, verdict, tuple(companions.runs), settings, against=str(base))


def judged_by(result: GateResult, effective: EffectiveSettings) -> Judged:
    """Return the result of a run with its settings, to be rendered."""
    return Judged(
        result.run,
        result.verdict,
        result.compared,
        effective.settings,
        result.run_path,
        result.report_path,
    )


def named_base(ref: str) -> BaseName:
    """Return the base that a caller names; a name that git moves (FETCH_HEAD) is resolved at once."""
    return BaseName(settled(Git(Path.cwd()), ref))


def judge_here(
    effective: EffectiveSettings,
    given: Given,
    base: BaseName | None,
    request: PolicyRequest | None,
    progress: Progress,
) -> GateResult:
    """Measure beside the base, or compare with the baseline; beside its commit if another machine made it."""
    check_fixture_place(effective)  # before anything is written to a folder of reports that is not meant
    edges = real_edges()
    is_plain = base is None and request is None
    if is_plain and (commit := commit_to_measure(effective, given, edges.machine(), Git(Path.cwd()))):
        options = {**given.options, **quick_look(effective)}
        effective = load_settings(given.config_file, given.environment, options, given.assignments)
        base = BaseName(commit)
    elif base is None:
        return run_gate(effective, edges, progress, request)
    git = Git(Path.cwd(), timeout_seconds=CHECKOUT_SECONDS)
    return run_beside_base(effective, given, base, git, edges, progress, request, by_own_policy=is_plain)


def saved_judgement(
    policy_from: str | None,
    head: Run,
    reference: Run | None,
    config_file: Path | None,
    assignments: Sequence[str],
    options: Mapping[str, object] = _NOTHING,
    *,
    is_diff: bool = False,
) -> tuple[Settings, Judgement]:
    """Return the settings and the policy for saved Runs: as requested, else as first judged."""
    effective = load_settings(config_file, os.environ, options, assignments)
    named = named_base(policy_from) if policy_from else saved_base(head, reference, is_diff=is_diff)
    request = (
        PolicyRequest(named, Path.cwd(), config_file, os.environ, options, assignments) if named else None
    )
    effective, judgement = judgement_again(
        request, effective, head, has_baseline=reference is None, is_asked=policy_from is not None
    )
    return effective.settings, judgement


def saved_verdict(head: Run, companions: Companions, settings: Settings, judgement: Judgement) -> Verdict:
    """Return the verdict on a saved Run, with what the history knows of the noise."""
    return judged_with_history(judgement, head, companions, settings, datetime.now(UTC).date())
