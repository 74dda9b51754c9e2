"""Workflows that give the gate too little to work with, or the code of strangers too much."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sbir_gate.model.diagnosis import Diagnosis, Gravity
from sbir_gate.model.workflow import Job, Permissions, Step, Workflow

_CHECKOUT = "actions/checkout@"
_CHANGES = frozenset({"pull_request", "merge_group"})
# events on which a job has rights although it may be a stranger's code that started it
_PRIVILEGED = frozenset({"pull_request_target", "workflow_run"})
_ONE_EVENT = re.compile(r"(?:\$\{\{)?\s*github\.event_name\s*(==|!=)\s*'(\w+)'\s*(?:\}\})?")
_HEAD = re.compile(r"\.head\b|head_(ref|sha|branch|commit)|refs/pull/")
_ORDER = MappingProxyType({"none": 0, "": 0, "read": 1, "write": 2})

# what of a script of its own looks at older commits
_OLDER = re.compile(r"--(base|policy-from)\b")


def workflow_faults(workflow: Workflow) -> Iterator[Diagnosis]:
    """Yield what is wrong with a workflow, all of whose jobs use the gate."""
    yield from _path_filters(workflow)
    for job in workflow.jobs:
        granted = job.permissions if job.permissions is not None else workflow.permissions
        events = _events_of(job, workflow)
        gate = next(step for step in job.steps if step.is_gate)
        if granted is None:
            yield _warning(
                job.origin,
                f"job {job.name}: no `permissions:` block, so the token gets the repository default",
                "write 'permissions: {}' on top, and what each job needs in the job",
            )
        else:
            yield from _missing_permissions(job, gate, granted, events)
        yield from _checkouts(job, gate, events, workflow)


def _path_filters(workflow: Workflow) -> Iterator[Diagnosis]:
    for event, keys in workflow.events.items():
        if event in _CHANGES and keys & {"paths", "paths-ignore"}:
            yield _warning(
                workflow.path,
                f"on.{event} is filtered by path: a required check that never runs stays pending forever",
                "remove the filter: the gate recognises an unchanged enrichment quickly",
            )


def _missing_permissions(
    job: Job, gate: Step, granted: Permissions, events: frozenset[str] | None
) -> Iterator[Diagnosis]:
    for scope, (wanted, why) in _needs(gate, events).items():
        if _ORDER.get(granted.get(scope, granted.get("*", "")), 0) < _ORDER[wanted]:
            yield _warning(
                job.origin,
                f"job {job.name}: has no '{scope}: {wanted}', which {why} needs",
                f"add it to the job's permissions{_or_off(scope)}",
            )


def _or_off(scope: str) -> str:
    names = {"pull-requests": "comment", "checks": "check"}
    return f', or give the action {names[scope]}: "false"' if scope in names else ""


def _needs(gate: Step, events: frozenset[str] | None) -> Mapping[str, tuple[str, str]]:
    """Return what the gate needs on all of these events: scope, and what is granted of it for what."""
    needs = {"contents": ("read", "the checkout")}
    if not gate.uses:
        return needs  # what a script does with its token is its own affair
    if gate.given("check", "true") != "false":
        needs["checks"] = ("write", "the check")
    if events is None:
        return needs
    if events & {"pull_request", "workflow_run"} and gate.given("comment", "true") != "false":
        needs["pull-requests"] = ("write", "the comment")
    if "push" in events and gate.given("mode", "auto") in {"auto", "baseline"}:
        needs["contents"] = ("write", "promoting the baseline and keeping the history")
    if "workflow_run" in events:
        needs["actions"] = ("read", "the artifact of the fork's run")
    return needs


def _checkouts(
    job: Job, gate: Step, events: frozenset[str] | None, workflow: Workflow
) -> Iterator[Diagnosis]:
    before = job.steps[: job.steps.index(gate)]
    possible = frozenset(workflow.events) if events is None else events
    for step in before:
        if not step.uses.startswith(_CHECKOUT):
            continue
        ref = step.given("ref") + step.given("repository")
        strangers = sorted(possible & _PRIVILEGED)
        if strangers and _HEAD.search(ref):
            yield Diagnosis(
                Gravity.ERROR,
                step.origin,
                f"job {job.name}: on {strangers[0]} it checks out and runs a stranger's code with a token of"
                " this repository",
                "judge the change on pull_request, and comment on forks from workflow_run with mode: comment",
            )
        depth = step.given("fetch-depth", "1")
        has_older = "${{" in depth or depth == "0" or not (gate.uses or _OLDER.search(gate.script))
        if possible & _CHANGES and not has_older:
            yield Diagnosis(
                Gravity.ERROR,
                step.origin,
                f"job {job.name}: the checkout is shallow, so the commit that the change left is not there",
                "give actions/checkout 'fetch-depth: 0'",
            )
        if possible & _CHANGES and step.given("persist-credentials", "true") != "false":
            yield _warning(
                step.origin,
                f"job {job.name}: the checkout leaves its token where the code that is measured can read it",
                "give actions/checkout 'persist-credentials: false'",
            )


def _events_of(job: Job, workflow: Workflow) -> frozenset[str] | None:
    """Return the events on which a job runs; None where its condition is more than an event's name."""
    events = frozenset(workflow.events)
    if not job.condition:
        return events
    found = _ONE_EVENT.fullmatch(job.condition.strip())
    if not found:
        return events if len(events) == 1 else None
    named = frozenset({found[2]})
    return events & named if found[1] == "==" else events - named


def _warning(place: str, problem: str, cure: str) -> Diagnosis:
    return Diagnosis(Gravity.WARNING, place, problem, cure)
