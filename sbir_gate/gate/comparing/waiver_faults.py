"""Waivers that do nothing: expired, for nothing that has a limit, or within what passes anyway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.model.diagnosis import Diagnosis, Flaw, Gravity
from sbir_gate.model.finding import Fact, Severity
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Policy
from sbir_gate.model.waiver import AWARDS, FIXTURE_EDIT, Waiver, Waivers
from sbir_gate.wrong_input import nearest


def waiver_faults(
    policy: Policy, waivers: Waivers, latest: Run | None, baseline: Run | None
) -> Iterator[Diagnosis]:
    """Yield what is wrong with each waiver; `latest` is the Run that shows which are unused, if any."""
    failing = _failing(policy, latest, baseline) if latest is not None else None
    for waiver in waivers.entries:
        flaw, facts = _flaw(waiver, policy)
        if waiver.expires < waivers.today:
            flaw, facts = Flaw.WAIVER_OVER, {"expires": waiver.expires.isoformat()}
        elif flaw is None and failing is not None and waiver.metric not in failing:
            flaw = Flaw.WAIVER_NOT_NEEDED
        if waiver.former_name:
            yield _diagnosis(waiver, Flaw.WAIVER_OUTDATED, {"former_name": waiver.former_name})
        if flaw is not None:
            yield _diagnosis(waiver, flaw, facts)


def _diagnosis(waiver: Waiver, flaw: Flaw, facts: Mapping[str, Fact]) -> Diagnosis:
    of_waiver = {"metric": waiver.metric, "owner": waiver.owner}
    return Diagnosis(Gravity.WARNING, flaw, waiver.origin, {**of_waiver, **facts})


def _flaw(waiver: Waiver, policy: Policy) -> tuple[Flaw | None, Mapping[str, Fact]]:
    """Return why the waiver never does anything, None where it may."""
    if waiver.metric == AWARDS and waiver.limit <= policy.max_lost:
        return Flaw.WAIVER_WITHIN_MAX_LOST, {"awards": int(waiver.limit)}
    if waiver.metric in {AWARDS, FIXTURE_EDIT}:
        return None, {}
    limit = policy.limit_of(waiver.metric)
    has_bound = limit is not None and (limit.minimum is not None or limit.maximum is not None)
    percent = limit.fail_percent if limit is not None else None
    if percent is None and not has_bound:
        named = [AWARDS, FIXTURE_EDIT, *(each.name for each in policy.limits)]
        near = nearest(waiver.metric, named) if limit is None else ""
        return (Flaw.WAIVER_MISSPELLED, {"near": near}) if near else (Flaw.WAIVER_WITHOUT_LIMIT, {})
    if percent is not None and not has_bound and waiver.limit <= percent:
        return Flaw.WAIVER_WITHIN_LIMIT, {"cap": waiver.limit, "limit": percent}
    return None, {}


def _failing(policy: Policy, latest: Run, baseline: Run | None) -> frozenset[str]:
    """Return what the latest Run would fail by, without any waiver."""
    verdict = judge(latest, baseline, policy)
    names = {change.metric for change in verdict.changes if change.severity is Severity.FAIL}
    if verdict.records.severity is Severity.FAIL:
        names.add(AWARDS)
    if latest.fixture_edits is not None and latest.fixture_edits.obstacle:
        names.add(FIXTURE_EDIT)
    return frozenset(names)
