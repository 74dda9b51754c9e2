"""Metrics that head renamed: judged against the value and the limit that the old name has at the reference.

An entry only maps a name. It holds where the old name is gone from head and the new one is not in the
reference, so that no entry can take a metric from under its limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sbir_gate.gate.comparing.backing import LINKS
from sbir_gate.model.finding import Finding, Rule, Severity
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Change, MetricLimit, Policy


@dataclass(frozen=True, slots=True)
class Renamed:
    """The reference and the policy under head's names; `old_names` has the old name of each new one."""

    reference: Run
    policy: Policy
    old_names: Mapping[str, str]
    notes: tuple[Finding, ...] = ()

    def named(self, changes: Iterable[Change]) -> tuple[Change, ...]:
        """Return the changes, where those of a renamed metric say what it was called."""
        return tuple(
            replace(change, renamed_from=self.old_names[change.metric])
            if change.metric in self.old_names
            else change
            for change in changes
        )


def rename(head: Run, reference: Run, policy: Policy) -> Renamed:
    """Apply the entries of head (`Run.renamed`) that hold; the others are named in the notes."""
    now, before = _names(head), _names(reference)
    applied: dict[str, str] = {}
    notes = []
    for old, new in head.renamed.items():
        obstacle = _obstacle(old, new, now, before)
        if obstacle:
            facts = {"old": old, "new": new, "obstacle": obstacle}
            notes.append(Finding(Rule.RENAME_IGNORED, Severity.INFO, metric=new, facts=facts))
        else:
            applied[new] = old
            facts = {"old": old}
            notes.append(Finding(Rule.METRIC_RENAMED, Severity.INFO, metric=new, facts=facts))
    if not applied:
        return Renamed(reference, policy, {}, tuple(notes))
    new_names = {old: new for new, old in applied.items()}
    return Renamed(
        _renamed_run(reference, new_names), _renamed_policy(policy, new_names), applied, tuple(notes)
    )


def _obstacle(old: str, new: str, now: frozenset[str], before: frozenset[str]) -> str:
    """Return why an entry does not hold: old-is-measured, no-old, no-new, new-in-reference; else empty."""
    if old in now:
        return "old-is-measured"
    if old not in before:
        return "no-old"
    if new not in now:
        return "no-new"
    return "new-in-reference" if new in before else ""


def _names(run: Run) -> frozenset[str]:
    """Return the metrics that a Run has; a method that made no link is none."""
    return frozenset(
        metric.name
        for metric in run.metrics
        if not (metric.name.startswith(LINKS) and metric.values and max(metric.values) == 0)
    )


def _renamed_run(run: Run, new_names: Mapping[str, str]) -> Run:
    metrics = tuple(
        replace(metric, name=new_names.get(metric.name, metric.name))
        for metric in run.metrics
        if metric.name not in new_names.values()
    )
    methods = {
        old.removeprefix(LINKS): new.removeprefix(LINKS)
        for old, new in new_names.items()
        if old.startswith(LINKS)
    }
    if not methods:
        return replace(run, metrics=metrics)
    return replace(
        run,
        metrics=metrics,
        awards=tuple(
            replace(award, decision=replace(award.decision, method=methods[award.decision.method]))
            if award.decision.method in methods
            else award
            for award in run.awards
        ),
    )


def _renamed_policy(policy: Policy, new_names: Mapping[str, str]) -> Policy:
    """Return the policy in which each new name has the limit of the old one, unless it has its own."""
    own = {limit.name: limit for limit in policy.limits}
    limits: dict[str, MetricLimit] = {}
    unjudged = set(policy.unjudged)
    for limit in policy.limits:
        name = new_names.get(limit.name, limit.name)
        limits[name] = own.get(name, replace(limit, name=name))
    for old, new in new_names.items():
        found = policy.limit_of(old)
        if found is not None:
            limits.setdefault(new, replace(found, name=new))
        elif policy.is_unjudged(old):
            unjudged.add(new)
    return replace(policy, limits=tuple(limits.values()), unjudged=tuple(sorted(unjudged)))
