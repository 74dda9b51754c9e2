"""The catalogue of messages: complete, documented, and plain."""

from dataclasses import replace
from datetime import date
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.reporting.messages import catalogue, fix, limit_text, text
from sbir_gate.model.finding import (
    OBSTACLES,
    Excuse,
    Finding,
    LimitKind,
    OnFixture,
    Rule,
    Severity,
    finding_fault,
    in_order,
    recorded,
)
from sbir_gate.model.verdict import Limit
from sbir_gate.model.waiver import Waiver
from tests.messages_page import PAGE, page

WAIVER = Waiver("wall_seconds", 50.0, "a new reader", "ana", date(2026, 12, 31), "7", "w.yaml:12")
WORSE = Finding(
    Rule.REGRESSION,
    Severity.FAIL,
    metric="wall_seconds",
    unit="s",
    measured=2.38,
    limit=25.0,
    limit_kind=LimitKind.FAIL,
    reference=1.7,
    ratio=1.4,
    facts={"change": 0.68},
)
FIGURES = {
    "metric": "wall_seconds",
    "unit": "s",
    "measured": 2.38,
    "limit": 25.0,
    "limit_kind": LimitKind.FAIL,
    "reference": 1.7,
    "ratio": 1.4,
}
# what a finding of each rule knows beside its figures
FACTS = {
    Rule.NOT_DETERMINISTIC: {"repeats": 5, "outputs": 2},
    Rule.SEGMENT_GONE: {"dimension": "phase", "value": "II", "awards": 15},
    Rule.SEGMENT_UNLINKED: {"dimension": "phase", "value": "II", "links": 11},
    Rule.ALL_UNLINKED: {"links": 36},
    Rule.ERROR: {"text": "it crashed", "hint": "look at the log"},
    Rule.BASE_LACKS_FILES: {"commit": "b" * 40, "names": ("link.py", "model.bin")},
    Rule.OTHER_GATE: {"reference_gate": "nightly", "head_gate": "enrichment"},
    Rule.FIXTURE_CHANGED: {"before": "a" * 64, "after": "b" * 64, "is_own_baseline": 1},
    Rule.FIXTURE_EDIT_UNJUDGED: {"text": "the enricher ended with exit status 1"},
    Rule.REFERENCE_EMPTY: {"missing": "awards"},
    Rule.BASE_OUTDATED: {"commit": "b" * 40, "lacks": ("settings file", "baseline"), "target": "main"},
    Rule.UNPROVEN_CLAIM: {"claim": "engine-changed", "file": "engine/link.py"},
    Rule.METRIC_GONE: {"required_by": "policy"},
    Rule.METRIC_REPEATED: {"side": "head", "times": 2},
    Rule.METRIC_EMPTY: {"side": "reference"},
    Rule.METRIC_UNDEFINED: {"side": "head"},
    Rule.UNIT_DIFFERS: {"side": "head", "unit_found": "ms", "unit_expected": "s"},
    Rule.REPEATS_DISAGREE: {"side": "head"},
    Rule.STAGE_SKIPPED: {"skipped": 2, "repeats": 5},
    Rule.METHOD_DIFFERS: {"head_method": "pss", "reference_method": "cgroup"},
    Rule.REGRESSION: {"change": 0.68},
    Rule.POSSIBLE_REGRESSION: {
        "change": 0.68,
        "is_beyond": 1,
        "doubt": "covers-no-change",
        "smallest_percent": 62.0,
        "more_pairs": 12,
    },
    Rule.FIRST_RUN_SLOWER: {"change": 0.68, "later": 0.1},
    Rule.RESULTS_KEPT: {"change": 0.68, "later": 0.1},
    Rule.HARMLESS: {"change": -0.1, "worsened_value": 1.6},
    Rule.DRIFT: {
        "change": 0.68,
        "days": 30,
        "tag": "v1.2",
        "reference_started_at": "2026-01-01T12:00:00Z",
        "reference_commit": "c" * 40,
        "began_at": "2026-01-05",
        "began_commit": "d" * 12,
    },
    Rule.AWARDS_WORSENED: {"new-wrong": 3, "lost-correct": 4, "improved": 1, "has_truth": 1},
    Rule.AWARDS_UNDECIDED: {"awards": 3},
    Rule.AWARDS_DECIDED_TWICE: {"awards": 1},
    Rule.ONE_RECIPIENT_GAINS: {"awards": 9, "firms": 7, "recipient_id": "R1", "links_before": 1},
    Rule.GATE_IS_NEW: {"target": "main"},
    Rule.BASELINE_STARTS: {"before": "a" * 64, "after": "b" * 64, "awards": 40},
    Rule.COMMON_AWARDS: {"before": "a" * 64, "after": "b" * 64, "awards": 1},
    Rule.METRICS_RETIRED: {"names": ("work/a", "work/b")},
    Rule.ENRICHER_DIFFERS: {"before": "built-in", "after": "python mine.py"},
    Rule.JUDGED_BY_PAIRS: {"pairs": 10},
    Rule.KNOWN_NOISE: {"wall_seconds": 0.03, "cpu_seconds": 0.01},
    Rule.OLDER_DEFINITION: {"reference_version": 1, "head_version": 2},
    Rule.NEWER_DEFINITION: {"reference_version": 2, "head_version": 1},
    Rule.OTHER_METHOD: {"reference_method": "pss", "head_method": "cgroup"},
    Rule.METRIC_RENAMED: {"old": "work/pages"},
    Rule.RENAME_IGNORED: {"old": "work/pages", "new": "work/rows", "obstacle": "no-old"},
    Rule.BLIND_SPOT: {"reach_percent": 62.0},
    Rule.DRIFT_NOT_JUDGED: {"fault": "the history cannot be read"},
    Rule.DRIFT_REDEFINED: {"names": ("peak_rss_mib",)},
    Rule.RECOVERED: {"previous": "fail", "outcome": "pass"},
    Rule.ENVIRONMENT_SHARED: {"names": ("uv.lock",), "reason": "failed", "fault": "pip ended with status 1"},
    Rule.ENVIRONMENT_OWN: {"names": ("requirements.lock",)},
    Rule.PACKAGES_CHANGED: {"packages": ("duckdb 1.2 -> 1.3",)},
    Rule.SETTING_OF_BASE: {"setting": "matching.max_candidates", "head": "5", "base": "4"},
    Rule.SETTINGS_OF_BASE: {"count": 2, "names": ("matching.a", "matching.b")},
    Rule.SETTINGS_UNKNOWN: {"names": ("matching.new",)},
    Rule.BUDGET_SPENT: {"max_seconds": 60.0, "done": 3, "min_pairs": 5, "needed_seconds": 100},
    Rule.SOURCES_UNMATCHED: {"names": ("engine/**",)},
    Rule.NAME_AMBIGUOUS: {
        "name": "main",
        "used": "refs/heads/main",
        "other": "refs/tags/main",
        "commit": "a" * 40,
    },
    Rule.TARGET_NOT_FOUND: {"commit": "a" * 40, "target": "main"},
    Rule.HISTORY_NOT_USED: {
        "place": "reports/history",
        "entries": 4,
        "names": ("a.json", "b.json"),
        "source": "branch",
        "runs": 12,
        "ref": "refs/remotes/origin/history",
    },
    Rule.STRICTER_TARGET: {"target": "main", "names": ("wall_seconds",)},
    Rule.POLICY_NOT_FOUND: {"commit": "f" * 40},
    Rule.ROWS_READ: {"awards": 198, "rows": 200},
    Rule.ROWS_UNREADABLE: {"awards": 198, "rows": 208, "examples": ("awards.csv:5: 2 columns",)},
    Rule.AWARDS_COMPLETE: {"complete": 197, "awards": 198},
    Rule.AWARDS_INCOMPLETE: {"complete": 100, "awards": 198},
    Rule.IDS_UNIQUE: {"ids": 198},
    Rule.IDS_REPEATED: {"ids": 2},
    Rule.IDS_DOUBLED: {"awards": 2},
    Rule.RECIPIENT_IDS_SHARED: {"count": 2, "examples": ("R1: ACME, FOO", "R2: BAR, BAZ")},
    Rule.RECIPIENTS_UNREADABLE: {"fault": "recipients.csv: no such file"},
    Rule.CHECK_FAILED: {"text": "match_rate fell", "asset": "enriched", "check": "gate"},
    Rule.SMALL_SAMPLE: {"whole": 25, "low": 0.7, "high": 0.96, "least": 0.92},
    Rule.PARTITION_EMPTY: {"place": "award year 1999"},
    Rule.STEP_FAILED: {"step": "enriched_sbir_awards", "text": "no space left on the disk"},
    Rule.RUN_FAILED: {"text": "the run worker was killed"},
    Rule.RUN_REFUSED: {"run": "sbir_etl_job"},
    Rule.RUN_BROKEN: {"run": "sbir_etl_job"},
    Rule.RUN_WARNED: {"run": "sbir_etl_job"},
    Rule.RUN_STILL_FAILS: {"run": "sbir_etl_job (2019)", "since": "2026-03-01T06:00:00Z"},
    Rule.RUN_STILL_WARNS: {"run": "sbir_etl_job (2019)", "since": "2026-03-01T06:00:00Z"},
    Rule.RUN_RECOVERED: {"run": "sbir_etl_job (2019)", "since": "2026-03-01T06:00:00Z"},
    Rule.BACKFILL_FAILED: {"run": "sbir_etl_job, backfill abc", "failed": 2, "partitions": 5},
    Rule.BACKFILL_WARNED: {"run": "sbir_etl_job, backfill abc", "partitions": 1},
    Rule.BACKFILL_RECOVERED: {"run": "sbir_etl_job, backfill abc", "partitions": 3},
    Rule.AS_RECORDED: {"text": "wall_seconds rose 40 %"},
}


# where a fact is missing the message says so in its own words
OPTIONAL = {"obstacle"}


def example(rule):
    waiver = WAIVER if rule.value.startswith("waiver-") else None
    severity = Severity.INFO if waiver else Severity.FAIL
    return Finding(rule, severity, **FIGURES, waiver=waiver, facts=FACTS.get(rule, {}))


def test_every_rule_has_its_message_and_no_message_is_of_no_rule():
    assert set(catalogue()) == {rule.value for rule in Rule}


@pytest.mark.parametrize("rule", Rule)
def test_a_message_names_what_its_rule_needs_and_nothing_else_that_may_be_missing(rule):
    assert finding_fault([example(rule)]) == ""
    entry = catalogue()[rule]
    named = {name for _, name, _, _ in Formatter().parse(entry.text + entry.headline) if name}
    assert named & FACTS.get(rule, {}).keys() <= set(rule.needs) | OPTIONAL


@pytest.mark.parametrize("rule", Rule)
def test_every_message_is_made_of_its_finding(rule):
    said = text(example(rule))
    assert said
    assert "\n" not in said
    assert "{" not in said
    assert "}" not in said
    entry = catalogue()[rule]
    assert entry.meaning.endswith((".", "?"))
    assert entry.fix.endswith((".", ")", "`"))
    named = {name for _, name, _, _ in Formatter().parse(entry.text) if name}
    assert named or said == entry.text


def test_the_page_is_written_from_the_catalogue():
    assert PAGE.read_text(encoding="utf-8") == page(), "run 'make golden'"


def test_a_finding_with_a_hint_of_its_own_is_fixed_by_that():
    assert fix(example(Rule.ERROR)) == "look at the log"
    assert fix(example(Rule.REGRESSION)) == catalogue()[Rule.REGRESSION].fix


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Wall time rose 40% (1.70 → 2.38 s; limit: +25%)"),
        ({"excuse": Excuse.ALREADY_SO}, "Wall time rose 40% (1.70 → 2.38 s; limit: +25%), as at the base"),
        (
            {"waiver": WAIVER},
            "Wall time rose 40% (1.70 → 2.38 s; limit: +25%); the waiver in w.yaml:12 covers only up to 50%",
        ),
        (
            {"waiver": WAIVER, "severity": Severity.WARN},
            (
                "Wall time rose 40% (1.70 → 2.38 s; limit: +25%);"
                " waived up to 50% until 2026-12-31 by ana (w.yaml:12)"
            ),
        ),
        (
            {"fixture": OnFixture.BASE},
            "on the base's fixture: Wall time rose 40% (1.70 → 2.38 s; limit: +25%)",
        ),
        (
            {"facts": {"change": 0.68, "pairs": 10, "medians_change": -0.1}},
            (
                "Wall time rose 40% pair by pair, though the medians alone fell"
                " (medians 1.70 → 2.38 s of 10 pairs; limit: +25%)"
            ),
        ),
    ],
)
def test_what_else_is_known_of_a_finding_is_in_its_message(changes, said):
    assert text(replace(WORSE, **changes)) == said


def test_counts_have_the_noun_that_fits():
    one, many = (
        Finding(Rule.AWARDS_UNDECIDED, Severity.FAIL, facts={"awards": count}) for count in (1, 1200)
    )
    assert text(one) == "1 award has no decision any more"
    assert text(many) == "1,200 awards have no decision any more"


def test_a_number_of_ids_is_not_replaced_by_the_ids_that_a_finding_lacks():
    assert text(Finding(Rule.IDS_UNIQUE, Severity.OK, facts={"ids": 198})) == "198 award ids, none twice"


def test_a_limit_says_whether_it_only_warns():
    assert limit_text(Limit(LimitKind.FAIL, 25.0)) == "fail 25%"
    assert limit_text(Limit(LimitKind.MAXIMUM, 500.0, Severity.WARN)) == "maximum 500 (warn)"


@given(st.text(), st.text(), st.sampled_from(sorted(Rule)))
def test_nothing_from_data_breaks_a_message_or_its_line(metric, fact, rule):
    facts = {name: fact if isinstance(value, str) else value for name, value in FACTS.get(rule, {}).items()}
    said = text(Finding(rule, Severity.FAIL, metric=metric, unit=fact, waiver=WAIVER, facts=facts))
    assert "\n" not in said
    assert "\x1b" not in said


def test_findings_are_ordered_by_severity_and_each_is_there_once():
    obstacle = Finding(next(iter(OBSTACLES)), Severity.FAIL)
    note, warning, failure = recorded("a"), recorded("b", Severity.WARN), recorded("c", Severity.FAIL)
    assert in_order((note, warning, obstacle, failure, note)) == (failure, obstacle, warning, note)


def test_a_value_just_below_its_limit_does_not_read_like_the_limit():
    below = Finding(
        Rule.BELOW_MINIMUM,
        Severity.FAIL,
        metric="match_rate",
        unit="ratio",
        measured=0.699996,
        limit=0.7,
        limit_kind=LimitKind.MINIMUM,
    )
    assert text(below) == "Match rate: 0.699996, below the minimum of 0.700"
    beyond = replace(WORSE, ratio=1.25003)
    assert text(beyond) == "Wall time rose 25.003% (1.70 → 2.38 s; limit: +25%)"


@pytest.mark.parametrize(
    ("dimension", "value", "named"),
    [
        ("phase", "II", "phase 'II'"),
        ("company_size", "unknown", "company size 'not stated'"),
        ("identifier_type", "uei-only", "identifier type 'UEI only'"),
        ("of_a_newer_version", "x", "of_a_newer_version 'x'"),
    ],
)
def test_a_segment_has_the_name_that_reports_give_it(dimension, value, named):
    facts = {"dimension": dimension, "value": value, "links": 1234}
    said = text(Finding(Rule.SEGMENT_UNLINKED, Severity.FAIL, facts=facts))
    assert said == f"no award of {named} is linked any more, of 1,234 awards that were linked"


def test_the_loss_of_all_links_says_how_many_there_were():
    found = Finding(Rule.ALL_UNLINKED, Severity.FAIL, facts={"links": 1234})
    assert text(found) == "no award is linked any more (1,234 were)"
