"""One verdict of each kind, on Runs that look like real ones; all names are invented."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.model.finding import Finding, Rule, Severity
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Outcome, Policy, PolicyEdit, RecordChanges, Verdict
from tests.factories import (
    EXACT,
    HIGHER,
    LOWER,
    award_id,
    link,
    make_limit,
    make_policy,
    make_run,
    no_link,
    relabelled,
    with_decisions,
    with_metric,
)

BASE, HEAD = "8446519c" + "0" * 32, "baf714de" + "0" * 32
_FIRMS = (
    "Advanced Optical Solutions Inc.",
    "Blue Heron Robotics LLC",
    "Cedar Ridge Photonics",
    "Delta Quantum Labs",
    "Elm Street Materials Inc.",
    "Foxglove Sensors LLC",
    "Granite Bay Avionics",
    "Harbor Light Systems Inc.",
    "Ironwood Acoustics",
    "Juniper Field Energy LLC",
    "Kestrel Thermal Inc.",
)
_AWARDS, _LINKS, _RATE = 1_000, 879, 0.879
_WALLS = (9.70, 9.81, 9.69, 9.92, 9.78)


_CRASH = "the enricher ended with exit status 1: ModuleNotFoundError: No module named 'nothing_like_that'"
_HINT = "reports/logs/head-1.log has all its messages"
_LOG = (
    "Traceback (most recent call last):",
    '  File "enrich.py", line 12, in <module>',
    "    from linking import matcher",
    '  File "linking/matcher.py", line 3, in <module>',
    "    import nothing_like_that",
    "ModuleNotFoundError: No module named 'nothing_like_that'",
)


def make_case(name: str) -> tuple[Run | None, Verdict]:
    """Return the Run and the verdict of one kind."""
    return _CASES[name]()


def names() -> Sequence[str]:
    """Return the kinds."""
    return tuple(_CASES)


def _run(
    commit: str, noise: float = 0.004, slowdown: float = 1.0, work: Mapping[str, float] | None = None
) -> Run:
    signs = (1, -2, 0, 2, -1) if commit == HEAD else (0, 1, -2, 0, 1)
    run = _with_firms(make_run(session="4f1d"))
    run = replace(
        run,
        source=replace(run.source, commit=commit),
        quality=replace(run.quality, awards=_AWARDS, links=_LINKS, match_rate=_RATE, precision=0.9954),
        fixture=replace(run.fixture, awards=_AWARDS),
    )
    walls = [wall * slowdown * math.exp(noise * sign) for wall, sign in zip(_WALLS, signs, strict=True)]
    run = with_metric(with_metric(run, "wall_seconds", walls), "match_rate", [_RATE])
    run = with_metric(run, "precision", [0.9954])
    counters = {"work/pairs_scored": 4117.0, "links/uei-exact": 273.0, **(work or {})}
    for metric, value in counters.items():
        run = with_metric(run, metric, [value], "count")
    return run


def _with_firms(run: Run) -> Run:
    """Return the Run with firms and recipients of these names; the first firm has three awards."""
    same = {award_id(number): link(award_id(number), "R0000") for number in (1, 2)}
    run = with_decisions(run, same)
    linked = {award.award_id for award in run.awards if award.decision.recipient_id}
    run = relabelled(run, linked)
    awards = []
    for number, award in enumerate(run.awards):
        firm = _FIRMS[max(0, number - 2) % len(_FIRMS)]
        facts = {"firm_name": firm, "recipient_name": firm.upper().rstrip("."), "recipient_uei": _uei(number)}
        decision = replace(award.decision, confidence=0.998 if award.decision.recipient_id else None)
        facts = facts if award.decision.recipient_id else {"firm_name": firm}
        awards.append(replace(award, decision=decision, **facts))
    return replace(run, awards=tuple(awards))


def _uei(number: int) -> str:
    return f"K7{max(0, number - 2):02}NW4QJT{max(0, number - 2):02}"


def _policy() -> Policy:
    policy = make_policy()
    more = (
        make_limit("work/pairs_scored", unit="count", direction=LOWER, kind=EXACT, warn_percent=4.0),
        make_limit(
            "links/uei-exact",
            unit="count",
            direction=HIGHER,
            kind=EXACT,
            fail_percent=50.0,
            warn_percent=20.0,
        ),
    )
    return replace(policy, limits=(*policy.limits, *more))


def _judged(head: Run, base: Run | None) -> tuple[Run, Verdict]:
    return head, judge(head, base, _policy())


def _failing() -> Run:
    head = _run(HEAD, work={"work/pairs_scored": 5658.0, "links/uei-exact": 0.0})
    changed = {award_id(number): no_link(award_id(number)) for number in range(7)}
    changed[award_id(12)] = link(award_id(12), "R9999", "name-fuzzy")
    head = with_decisions(head, changed)
    return replace(
        head,
        awards=tuple(
            replace(award, recipient_name="DELTA QUANTUM HOLDINGS LLC", recipient_uei="Q3M8LD92KPX5")
            if award.decision.recipient_id == "R9999"
            else award
            for award in head.awards
        ),
    )


def _fails() -> tuple[Run, Verdict]:
    return _judged(_failing(), _run(BASE))


def _crashes() -> tuple[None, Verdict]:
    return None, Verdict(
        gate="enrichment",
        outcome=Outcome.ERROR,
        findings=(Finding(Rule.ERROR, Severity.FAIL, facts={"text": _CRASH, "hint": _HINT, "log": _LOG}),),
        changes=(),
        records=RecordChanges(),
        head_started_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
        head_commit=HEAD,
    )


def _edits_its_policy() -> tuple[Run, Verdict]:
    run, verdict = _fails()
    return run, replace(
        verdict,
        policy_commit=BASE,
        policy_edits=(PolicyEdit("gate.max_lost", "5", "500"),),
        own_policy_outcome=Outcome.PASS,
    )


_CASES = {
    "pass": lambda: _judged(_run(HEAD), _run(BASE)),
    "warn": lambda: _judged(_run(HEAD, slowdown=1.15), _run(BASE)),
    "fail": _fails,
    "inconclusive": lambda: _judged(_run(HEAD, noise=0.12, slowdown=1.4), _run(BASE, noise=0.12)),
    "error": _crashes,
    "no-baseline": lambda: _judged(_run(HEAD), None),
    "incomparable": lambda: _judged(
        _run(HEAD), replace(_run(BASE), fixture=replace(make_run().fixture, fingerprint="0" * 64))
    ),
    "policy": _edits_its_policy,
}
