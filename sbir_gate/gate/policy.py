"""What a Run is judged by: the policy, waivers and baseline of the working tree, or those of a commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sbir_gate.errors import SbirGateError
from sbir_gate.gate.commit_files import (
    NEW,
    NOT_THERE,
    PolicyRequest,
    baseline_at,
    has_gate,
    layers_at,
    operator_layers,
    waivers_at,
)
from sbir_gate.gate.comparing.changes import NO_SPREAD
from sbir_gate.gate.comparing.edited_fixture import judge_change
from sbir_gate.gate.comparing.promotion import judge_merged
from sbir_gate.gate.comparing.stricter import stricter_policy, stricter_waivers, tightened
from sbir_gate.gate.fixture_edits import BaseFixture, edited_fixture
from sbir_gate.gate.history import noise_of_history
from sbir_gate.gate.judging_history import JudgingHistory, history_of_commit
from sbir_gate.gate.reporting.messages import waiver_cap
from sbir_gate.gate.storing.baselines import load_baseline
from sbir_gate.gate.storing.merge_base import MergeBase, find_base
from sbir_gate.model.companions import Companions
from sbir_gate.model.finding import Finding, Rule, Severity, in_order
from sbir_gate.model.moments import moment_text
from sbir_gate.model.run import Run, TargetBranch
from sbir_gate.model.verdict import Outcome, Policy, PolicyEdit, Verdict
from sbir_gate.model.waiver import Waiver, Waivers
from sbir_gate.settings.commit_policy import settings_of_commit
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.judgement import policy
from sbir_gate.settings.layers import base_layer, file_layer
from sbir_gate.settings.schema import Settings
from sbir_gate.settings.waivers import default_waivers_file, load_waivers

NONE = "none"
_ALONE = Companions()
_NO_PASS = frozenset({Outcome.FAIL, Outcome.ERROR})


@dataclass(frozen=True, slots=True)
class Rules:
    """What a Run is judged by."""

    policy: Policy
    waivers: tuple[Waiver, ...]
    baseline: Run | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The rules that count. Of a commit also what head changes of them, and head's own.

    `own` is None where there is no commit, or where head's own rules cannot be read. `is_merged` says that
    what is judged was merged: it may start a new baseline (`judge_merged`). `target` is the branch that the
    change goes to. `outdated` says why the base is too old to compare with, None if it is not. `history` is
    the one that judges, None for that of the folder. `notes` say what a reader must know of all this,
    `warnings` what the caller must. `fixture` is that of the commit, where head has another.
    """

    rules: Rules
    commit: str = ""
    edits: tuple[PolicyEdit, ...] = ()
    own: Rules | None = None
    fixture: BaseFixture | None = None
    is_merged: bool = False
    target: TargetBranch | None = None
    outdated: Finding | None = None
    history: JudgingHistory | None = None
    notes: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    def compared_with(self, companions: Companions) -> tuple[Run, ...]:
        """Return the Runs that head is compared with: those beside it, and the baseline if there is one."""
        return (*companions.runs, *([self.rules.baseline] if self.rules.baseline is not None else []))

    def marked(self, head: Run) -> Run:
        """Return head with what it is judged by, so that the saved Run is judged again in the same way."""
        return replace(head, policy_commit=self.commit, target=self.target, is_merged=self.is_merged)

    def verdict(
        self,
        head: Run,
        today: date,
        companions: Companions = _ALONE,
        spread: Mapping[str, float] = NO_SPREAD,
    ) -> Verdict:
        """Return the verdict on head against the base beside it, or the baseline of the rules without one.

        `spread` is what the history knows of the noise, by metric (`judge`).
        """
        if self.is_merged and companions.on_base is None:
            reference, waivers = companions.base or self.rules.baseline, Waivers(self.rules.waivers, today)
            return judge_merged(head, reference, self.rules.policy, waivers=waivers, spread=spread)
        found = _judged(self.rules, head, today, companions, spread)
        if not self.commit:
            return found.found(*self.notes)
        by_own = (
            Outcome.ERROR
            if self.own is None
            else _judged(self.own, replace(head, fixture_edits=None), today, companions, spread).outcome
        )
        found = replace(
            found,
            policy_commit=self.commit,
            policy_edits=self.edits,
            own_policy_outcome=by_own if self.edits or head.fixture_edits else None,
            target=self.target,
        ).found(*self.notes, *self.warnings)
        return incomparable(found, self.outdated) if self.outdated else found


def judged_with_history(
    judgement: Judgement, head: Run, companions: Companions, settings: Settings, today: date
) -> Verdict:
    """Return the verdict on head, with what the history knows of the noise."""
    rules = judgement.rules
    reference = companions.base or rules.baseline
    spread = noise_of_history(companions.compared(head), reference, rules.policy, settings, judgement.history)
    return judgement.verdict(head, today, companions, spread)


def own_judgement(
    effective: EffectiveSettings, has_baseline: bool = True, *, is_merged: bool = False
) -> Judgement:
    """Return the judgement by the working tree alone; without a baseline for Runs that bring a reference.

    `is_merged` says that what is judged was merged: it may start a new baseline (`judge_merged`).

    Raises ConfigurationError for waivers, DocumentError for a baseline that cannot be read.
    """
    settings = effective.settings
    path = settings.gate.waivers_file
    waivers = load_waivers(path, is_required=path != effective.folder / default_waivers_file())
    baseline = load_baseline(settings.gate.baselines_folder, settings.gate.name) if has_baseline else None
    return Judgement(Rules(policy(settings), waivers, baseline), is_merged=is_merged)


def commit_judgement(
    request: PolicyRequest, own: EffectiveSettings, has_baseline: bool = True
) -> tuple[EffectiveSettings, Judgement]:
    """Return the settings and the judgement whose policy is that of the request's commit.

    `own` are the settings of the working tree. Raises UsageError where git has no such commit,
    ConfigurationError or DocumentError, naming commit and path, for what cannot be read there.
    """
    base = find_base(request.git_in(request.folder), request.base)
    revision = base.revision
    there = layers_at(request, revision, own)
    own_layers = [base_layer(), *([file_layer(own.file)] if own.file else [])]
    found = settings_of_commit(there.layers, own_layers, operator_layers(request))
    effective = replace(found.effective, file=own.file)
    of_base = Rules(
        policy(effective.settings),
        waivers_at(revision, effective),
        baseline_at(revision, effective) if has_baseline else None,
    )
    rules, outdated, notes = _with_target(of_base, base, request, own, has_baseline)
    history = history_of_commit(effective.settings, revision)
    own_rules, fault = _own_rules(own, has_baseline)
    edits = [
        *there.edits,
        *found.edits,
        *_waiver_edits(rules.waivers, own_rules.waivers if own_rules else ()),
        *_baseline_edits(rules, own_rules),
    ]
    fixture = None if there.is_new else edited_fixture(revision, found.fixtures, effective)
    if fixture is not None and not fixture.is_whole:
        edits.append(PolicyEdit("fixture", NOT_THERE, NEW))
    if fault:
        edits.append(PolicyEdit("the working tree's own policy", "sound", fault))
    judgement = Judgement(
        rules,
        revision.commit,
        tuple(edits),
        own_rules,
        fixture=fixture,
        target=request.base.saved
        or TargetBranch(base.ref, base.target.commit, base.commits_behind, base.days_behind),
        outdated=outdated,
        history=history,
        notes=notes,
        warnings=(*base.notes, *history.notes),
    )
    return effective, judgement


def _with_target(
    rules: Rules, base: MergeBase, request: PolicyRequest, own: EffectiveSettings, has_baseline: bool
) -> tuple[Rules, Finding | None, tuple[Finding, ...]]:
    """Return the rules with what the target has tightened since, why the base is too old, and notes."""
    if not base.is_outdated:
        return rules, None, ()
    operator = operator_layers(request)
    own_layers = [base_layer(), *([file_layer(own.file)] if own.file else [])]
    found = settings_of_commit(layers_at(request, base.target, own).layers, own_layers, operator).effective
    limits = stricter_policy(rules.policy, policy(found.settings))
    waivers = stricter_waivers(rules.waivers, waivers_at(base.target, found))
    names = tightened(rules.policy, limits, rules.waivers, waivers)
    note = Finding(Rule.STRICTER_TARGET, Severity.INFO, facts={"target": base.ref, "names": tuple(names)})
    at_base, at_target = (
        has_gate(revision, request.config_file, own, operator) for revision in (base.revision, base.target)
    )
    lacks = ["settings file"] if at_target and not at_base else []
    if has_baseline and rules.baseline is None and baseline_at(base.target, found) is not None:
        lacks.append("baseline")
    outdated = Finding(
        Rule.BASE_OUTDATED,
        Severity.FAIL,
        facts={"commit": base.commit, "lacks": tuple(lacks), "target": base.ref},
    )
    return (
        replace(rules, policy=limits, waivers=waivers),
        outdated if lacks else None,
        (note,) if names else (),
    )


def incomparable(verdict: Verdict, *obstacles: Finding) -> Verdict:
    """Return the verdict as one that is never a pass."""
    outcome = verdict.outcome if verdict.outcome in _NO_PASS else Outcome.INCOMPARABLE
    return replace(verdict, outcome=outcome, findings=in_order((*obstacles, *verdict.findings)))


def _judged(
    rules: Rules, head: Run, today: date, companions: Companions, spread: Mapping[str, float]
) -> Verdict:
    reference = companions.base or rules.baseline
    waivers = Waivers(rules.waivers, today)
    return judge_change(head, reference, rules.policy, companions.on_base, waivers=waivers, spread=spread)


def _own_rules(own: EffectiveSettings, has_baseline: bool) -> tuple[Rules | None, str]:
    """Return head's own rules, or None and why they cannot be read: that is not the commit's fault."""
    try:
        return own_judgement(own, has_baseline).rules, ""
    except SbirGateError as error:
        return None, str(error.fault)


def _waiver_edits(before: Sequence[Waiver], after: Sequence[Waiver]) -> list[PolicyEdit]:
    old, new = ({waiver.metric: waiver for waiver in waivers} for waivers in (before, after))
    words = [(name, _waiver_text(old.get(name)), _waiver_text(new.get(name))) for name in {**old, **new}]
    return [
        PolicyEdit(f"waiver for {name}", first, second) for name, first, second in words if first != second
    ]


def _waiver_text(waiver: Waiver | None) -> str:
    if waiver is None:
        return NONE
    return (
        f"up to {waiver_cap(waiver)} until {waiver.expires} by {waiver.owner}: {waiver.reason} ({waiver.pr})"
    )


def _baseline_edits(rules: Rules, own: Rules | None) -> list[PolicyEdit]:
    if own is None or rules.baseline == own.baseline:
        return []
    first, second = _baseline_text(rules.baseline), _baseline_text(own.baseline)
    return [PolicyEdit("baseline", first, second if second != first else f"{second}, with other content")]


def _baseline_text(run: Run | None) -> str:
    if run is None:
        return NONE
    return f"measured {moment_text(run.started_at)} at {run.source.commit[:12] or 'an unknown commit'}"
