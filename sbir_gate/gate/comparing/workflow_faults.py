"""Workflows that give the gate too little to work with, or the code of strangers too much."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sbir_gate.model.diagnosis import Diagnosis, Flaw, Gravity
from sbir_gate.model.workflow import Job, Permissions, Step, Workflow

_CHECKOUT = "actions/checkout@"
_CHANGES = frozenset({"pull_request", "merge_group"})
# events on which a job has rights although it may be a stranger's code that started it
_PRIVILEGED = frozenset({"pull_request_target", "workflow_run"})
_ONE_EVENT = re.compile(r"(?:\$\{\{)?\s*github\.event_name\s*(==|!=)\s*'(\w+)'\s*(?:\}\})?")
_HEAD = re.compile(r"\.head\b|head_(ref|sha|branch|commit)|refs/pull/")
_ORDER = MappingProxyType({"none": 0, "": 0, "read": 1, "write": 2})
# the input of the action that switches off what needs a scope
_SWITCHES = MappingProxyType({"pull-requests": "comment", "checks": "check"})
# what the name of a gate comes from: the input, or the settings file
_NAMING = ("gate", "working-directory", "config")
_OF_LEG = re.compile(r"\b(matrix|strategy)\.")
# what the documentation writes where the address of the action is to be filled in
_TO_FILL_IN = re.compile(r"^OWNER/|@COMMIT$")
# what of a script of its own looks at older commits
_OLDER = re.compile(r"--(base|policy-from)\b")


def workflow_faults(workflow: Workflow) -> Iterator[Diagnosis]:
    """Yield what is wrong with a workflow, all of whose jobs use the gate."""
    yield from _path_filters(workflow)
    yield from _shared_names(workflow)
    for job in workflow.jobs:
        granted = job.permissions if job.permissions is not None else workflow.permissions
        events = _events_of(job, workflow)
        gate = next(step for step in job.steps if step.is_gate)
        if gate.is_missing:
            yield Diagnosis(Gravity.ERROR, Flaw.ACTION_MISSING, gate.origin, {"job": job.name})
        for step in (step for step in job.steps if step.is_gate and _TO_FILL_IN.search(step.uses)):
            facts = {"job": job.name, "uses": step.uses}
            yield Diagnosis(Gravity.ERROR, Flaw.ACTION_PLACEHOLDER, step.origin, facts)
        if granted is None:
            yield Diagnosis(Gravity.WARNING, Flaw.NO_PERMISSIONS, job.origin, {"job": job.name})
        else:
            yield from _missing_permissions(job, gate, granted, events)
        yield from _checkouts(job, gate, events, workflow)


def _path_filters(workflow: Workflow) -> Iterator[Diagnosis]:
    for event, keys in workflow.events.items():
        if event in _CHANGES and keys & {"paths", "paths-ignore"}:
            yield Diagnosis(Gravity.WARNING, Flaw.PATH_FILTER, workflow.path, {"event": event})


def _shared_names(workflow: Workflow) -> Iterator[Diagnosis]:
    """Yield jobs that run on one event under the same gate name, as far as the workflow shows it."""
    seen: list[tuple[Job, tuple[str, ...], frozenset[str]]] = []
    for job in workflow.jobs:
        events = _events_of(job, workflow) or frozenset()
        for step in (step for step in job.steps if step.is_gate and step.uses):
            name = tuple(step.given(key) for key in _NAMING)
            if job.is_matrix and not any(_OF_LEG.search(value) for value in name):
                yield Diagnosis(Gravity.WARNING, Flaw.MATRIX_SHARES_NAME, step.origin, {"job": job.name})
            twin = next((each for each, other, on in seen if other == name and on & events), None)
            if twin is not None:
                facts = {"job": job.name, "other": twin.name}
                yield Diagnosis(Gravity.WARNING, Flaw.JOBS_SHARE_NAME, step.origin, facts)
            seen.append((job, name, events))


def _missing_permissions(
    job: Job, gate: Step, granted: Permissions, events: frozenset[str] | None
) -> Iterator[Diagnosis]:
    for scope, (wanted, need) in _needs(gate, events).items():
        if _ORDER.get(granted.get(scope, granted.get("*", "")), 0) < _ORDER[wanted]:
            facts = {"job": job.name, "scope": scope, "level": wanted, "need": need}
            facts["switch"] = _SWITCHES.get(scope, "none")
            yield Diagnosis(Gravity.WARNING, Flaw.PERMISSION_MISSING, job.origin, facts)


def _needs(gate: Step, events: frozenset[str] | None) -> Mapping[str, tuple[str, str]]:
    """Return what the gate needs on all of these events: scope, and what is granted of it for what."""
    needs = {"contents": ("read", "checkout")}
    if not gate.uses:
        return needs  # what a script does with its token is its own affair
    if gate.given("check", "true") != "false":
        needs["checks"] = ("write", "check")
    if events is None:
        return needs
    if events & {"pull_request", "workflow_run"} and gate.given("comment", "true") != "false":
        needs["pull-requests"] = ("write", "comment")
    if "push" in events and gate.given("mode", "auto") in {"auto", "baseline"}:
        needs["contents"] = ("write", "promotion")
    if "workflow_run" in events:
        needs["actions"] = ("read", "artifact")
    return needs


def _checkouts(
    job: Job, gate: Step, events: frozenset[str] | None, workflow: Workflow
) -> Iterator[Diagnosis]:
    before = job.steps[: job.steps.index(gate)]
    possible = frozenset(workflow.events) if events is None else events
    for step in before:
        if not step.uses.startswith(_CHECKOUT):
            continue
        facts = {"job": job.name}
        ref = step.given("ref") + step.given("repository")
        strangers = sorted(possible & _PRIVILEGED)
        if strangers and _HEAD.search(ref):
            facts_of_event = {**facts, "event": strangers[0]}
            yield Diagnosis(Gravity.ERROR, Flaw.STRANGERS_CODE, step.origin, facts_of_event)
        is_partial = step.given("filter") or step.given("sparse-checkout")
        if possible & _CHANGES and is_partial:
            yield Diagnosis(Gravity.ERROR, Flaw.PARTIAL_CHECKOUT, step.origin, facts)
        depth = step.given("fetch-depth", "1")
        has_older = "${{" in depth or depth == "0" or not (gate.uses or _OLDER.search(gate.script))
        if possible & _CHANGES and not has_older:
            yield Diagnosis(Gravity.ERROR, Flaw.SHALLOW_CHECKOUT, step.origin, facts)
        if possible & _CHANGES and step.given("persist-credentials", "true") != "false":
            yield Diagnosis(Gravity.WARNING, Flaw.TOKEN_LEFT_BEHIND, step.origin, facts)


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
