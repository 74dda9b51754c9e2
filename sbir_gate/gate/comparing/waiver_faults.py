"""Waivers that do nothing: expired, for nothing that has a limit, or within what passes anyway."""

from __future__ import annotations

from collections.abc import Iterator

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.comparing.wording import counted, number_text
from sbir_gate.model.diagnosis import Diagnosis, Gravity
from sbir_gate.model.finding import Severity
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Policy
from sbir_gate.model.waiver import AWARDS, FIXTURE_EDIT, Waiver, Waivers
from sbir_gate.wrong_input import did_you_mean


def waiver_faults(
    policy: Policy, waivers: Waivers, latest: Run | None, baseline: Run | None
) -> Iterator[Diagnosis]:
    """Yield what is wrong with each waiver; `latest` is the Run that shows which are unused, if any."""
    failing = _failing(policy, latest, baseline) if latest is not None else None
    for waiver in waivers.entries:
        if waiver.former_name:
            yield Diagnosis(
                Gravity.WARNING,
                waiver.origin,
                f"the waiver metric {waiver.former_name} is now named {waiver.metric}",
                f"write metric: {waiver.metric}",
            )
        problem = _problem(waiver, policy)
        if waiver.expires < waivers.today:
            problem = f"expired on {waiver.expires} and is not applied"
        elif not problem and failing is not None and waiver.metric not in failing:
            problem = "is not needed by the latest Run"
        if problem:
            yield Diagnosis(
                Gravity.WARNING,
                waiver.origin,
                f"the waiver for {waiver.metric} {problem}",
                _meant(waiver, policy) or f"take it out, or ask {waiver.owner}",
            )


def _problem(waiver: Waiver, policy: Policy) -> str:
    if waiver.metric == AWARDS:
        if waiver.limit <= policy.max_lost:
            return f"allows {counted(int(waiver.limit), 'award')}, and gate.max_lost as many or more"
        return ""
    if waiver.metric == FIXTURE_EDIT:
        return ""
    limit = policy.limit_of(waiver.metric)
    has_bound = limit is not None and (limit.minimum is not None or limit.maximum is not None)
    percent = limit.fail_percent if limit is not None else None
    if percent is None and not has_bound:
        return "is for a metric that nothing can fail: it has no such limit"
    if percent is not None and not has_bound and waiver.limit <= percent:
        return f"reaches up to {number_text(waiver.limit)}%, and the limit is {number_text(percent)}%"
    return ""


def _meant(waiver: Waiver, policy: Policy) -> str:
    """Return the metric with a limit that the waiver probably means; nothing if its own has one."""
    if waiver.metric in {AWARDS, FIXTURE_EDIT} or policy.limit_of(waiver.metric) is not None:
        return ""
    return did_you_mean(waiver.metric, [AWARDS, FIXTURE_EDIT, *(limit.name for limit in policy.limits)])


def _failing(policy: Policy, latest: Run, baseline: Run | None) -> frozenset[str]:
    """Return what the latest Run would fail by, without any waiver."""
    verdict = judge(latest, baseline, policy)
    names = {change.metric for change in verdict.changes if change.severity is Severity.FAIL}
    if verdict.records.severity is Severity.FAIL:
        names.add(AWARDS)
    if latest.fixture_edits is not None and latest.fixture_edits.obstacle:
        names.add(FIXTURE_EDIT)
    return frozenset(names)
