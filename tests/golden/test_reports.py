"""Whole reports, as people see them; `make golden` writes them anew."""

import math
from dataclasses import replace
from datetime import date

import pytest

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.reporting.console import render_console
from sbir_gate.gate.reporting.markdown import render_markdown
from sbir_gate.gate.reporting.report_page import render_report_page
from sbir_gate.gate.reporting.view import build_view
from sbir_gate.model.document import VERDICT, encode
from sbir_gate.model.publication import Background
from sbir_gate.model.verdict import Outcome, PolicyEdit
from sbir_gate.model.waiver import Waiver, Waivers
from tests.factories import (
    CALIBRATION_SECONDS,
    OTHER_MACHINE,
    award_id,
    link,
    make_awards,
    make_policy,
    make_run,
    no_link,
    scaled,
    with_decisions,
    with_metric,
)
from tests.factories_reports import judged_pair
from tests.page_body import body_of

HOSTILE = "| <script>alert(1)</script> @everyone #12 [x](//y) ![i](u) \\` ``"
HOSTILE_TAIL = (
    "https://evil.example www.evil.example <!-- </details> *b* _i_ ~~s~~ \x1b[31mred\u202e\nnew | line"
)


def worse():
    """Return a Run that is slower and links other awards."""
    head = scaled(make_run(), "wall_seconds", 1.4)
    changed = {award_id(number): no_link(award_id(number)) for number in range(7)}
    changed[award_id(8)] = link(award_id(8), "R9999", "name-fuzzy")
    changed[award_id(35)] = link(award_id(35), "R0035", "name-fuzzy")
    return with_metric(with_decisions(head, changed), "match_rate", [0.60])


def hostile():
    first, second, *others = make_awards()
    named = (replace(first, firm_name=HOSTILE), replace(second, firm_name=HOSTILE_TAIL), *others)
    head = make_run(gate=HOSTILE, awards=named, enricher=HOSTILE, engine_notes={HOSTILE: HOSTILE_TAIL})
    lost = {award_id(number): no_link(award_id(number)) for number in range(2)}
    head = with_decisions(head, lost)
    return with_metric(head, HOSTILE, [float("nan")], HOSTILE)


def slower_machine():
    calibration = tuple(seconds * 1.3 for seconds in CALIBRATION_SECONDS)
    return replace(
        scaled(make_run(), "wall_seconds", 1.9), machine=OTHER_MACHINE, calibration_seconds=calibration
    )


def side_by_side(slowdown, noise):
    """Return head and reference of one session: pairs with the same noise as the case of apart Runs."""
    walls = (1.70, 1.71, 1.69, 1.72, 1.70)
    return tuple(
        with_metric(
            make_run(session="4f1d", started_at=started_at),
            "wall_seconds",
            [wall * factor * math.exp(noise * sign) for wall, sign in zip(walls, signs, strict=True)],
        )
        for factor, signs, started_at in (
            (slowdown, (1, -2, 0, 2, -1), "2026-01-31T12:00:00+00:00"),
            (1.0, (0, 1, -2, 0, 1), "2026-01-31T12:00:05+00:00"),
        )
    )


BASELINE = make_run(started_at="2026-01-01T06:00:00+00:00")
CASES = {
    "pass": (make_run(), BASELINE, Outcome.PASS),
    "fail": (worse(), BASELINE, Outcome.FAIL),
    "warn": (scaled(make_run(), "wall_seconds", 1.15), BASELINE, Outcome.WARN),
    "no-baseline": (make_run(), None, Outcome.NO_BASELINE),
    "incomparable": (
        make_run(fixture=replace(make_run().fixture, fingerprint="0" * 64)),
        BASELINE,
        Outcome.INCOMPARABLE,
    ),
    "inconclusive": (
        with_metric(make_run(), "wall_seconds", (1.2, 2.9, 1.9, 3.1, 2.3)),
        BASELINE,
        Outcome.INCONCLUSIVE,
    ),
    "other-machine": (slower_machine(), BASELINE, Outcome.FAIL),
    "side-by-side": (*side_by_side(1.4, 0.01), Outcome.FAIL),
    "side-by-side-inconclusive": (*side_by_side(1.3, 0.12), Outcome.INCONCLUSIVE),
    "side-by-side-not-judged": (*side_by_side(1.05, 0.12), Outcome.PASS),
    "hostile": (hostile(), replace(BASELINE, gate=HOSTILE), Outcome.FAIL),
}


@pytest.mark.parametrize("name", CASES)
def test_markdown(name, check_golden):
    head, reference, outcome = CASES[name]
    verdict = judge(head, reference, make_policy())
    assert verdict.outcome is outcome
    check_golden(f"{name}.md", render_markdown(build_view(head, verdict)))


@pytest.mark.parametrize("name", CASES)
def test_console(name, check_golden):
    head, reference, _ = CASES[name]
    view = build_view(head, judge(head, reference, make_policy()))
    check_golden(f"{name}.txt", render_console(view, 120, use_colour=False))


def test_console_with_colours(check_golden):
    head, reference, _ = CASES["fail"]
    view = build_view(head, judge(head, reference, make_policy()))
    check_golden("fail-colours.txt", render_console(view, 80, use_colour=True, is_verbose=True))


def test_html(check_golden):
    check_golden("report.html", body_of(render_report_page(*judged_pair())))


def test_html_of_hostile_names(check_golden):
    head, reference, _ = CASES["hostile"]
    verdict = judge(head, reference, make_policy())
    page = body_of(render_report_page(head, verdict, Background((reference,))))
    assert "<script>alert(1)" not in page
    assert "<img" not in page
    check_golden("report-hostile.html", page)


def test_json(check_golden):
    head, reference, _ = CASES["fail"]
    check_golden("fail.json", encode(VERDICT, judge(head, reference, make_policy())))


def test_a_change_that_edits_its_policy_and_has_a_waiver(check_golden):
    waiver = Waiver(
        "wall_seconds", 50.0, "a new reader", "ana", date(2026, 12, 31), "7", "config/waivers.yaml:3"
    )
    head = scaled(make_run(), "wall_seconds", 1.4)
    verdict = replace(
        judge(head, BASELINE, make_policy(), waivers=Waivers((waiver,), date(2026, 2, 1))),
        policy_commit="b" * 40,
        policy_edits=(
            PolicyEdit("gate.metrics.wall_seconds.fail_percent", "25", "300"),
            PolicyEdit("waiver for recall", "none", HOSTILE),
            PolicyEdit(HOSTILE_TAIL, "sha256 0123456789ab", "not there"),
            *(
                PolicyEdit(f"fixtures/part-{number}.csv", "x" * number * 8, "not there")
                for number in range(40)
            ),
        ),
        own_policy_outcome=Outcome.PASS,
    )
    view = build_view(head, verdict)
    check_golden("policy.md", render_markdown(view))
    check_golden("policy.txt", render_console(view, 100, use_colour=False, is_verbose=True))
