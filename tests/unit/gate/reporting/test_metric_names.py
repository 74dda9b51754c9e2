"""The names of metrics, docs/metrics.md and its anchors say the same."""

import re
from pathlib import Path

import pytest

from sbir_gate.gate.reporting.metric_names import GROUPS, NAMES, metric_anchor, metric_name
from sbir_gate.gate.reporting.view import LOST_AWARDS_ANCHOR
from sbir_gate.settings.effective import load_settings
from sbir_gate.settings.judgement import policy

PAGE = (Path(__file__).parents[4] / "docs" / "metrics.md").read_text(encoding="utf-8")
ANCHORS = re.findall(r'<a id="([^"]+)"></a>', PAGE)
HEADINGS = [
    re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-")
    for line in re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
]


@pytest.mark.parametrize("metric", NAMES)
def test_each_name_is_on_the_page_at_its_anchor(metric):
    assert metric_anchor(metric) in ANCHORS
    row = next((line for line in PAGE.splitlines() if f'<a id="{metric_anchor(metric)}"></a>' in line), "")
    is_of_a_group = metric_anchor(metric) in {group.rstrip("/") for group in GROUPS}
    assert is_of_a_group or (f"`{metric}`" in row and NAMES[metric] in row)


def test_each_anchor_belongs_to_a_name_and_is_there_once():
    assert len(ANCHORS) == len(set(ANCHORS))
    assert set(ANCHORS) == {metric_anchor(metric) for metric in NAMES} | {
        group.rstrip("/") for group in GROUPS
    }


def test_every_metric_with_a_default_limit_has_a_name():
    limits = policy(load_settings(None, {}).settings).limits
    assert {limit.name for limit in limits if not limit.name.endswith("*")} <= NAMES.keys()


def test_no_two_metrics_share_a_name():
    assert len(set(NAMES.values())) == len(NAMES)


@pytest.mark.parametrize(
    ("metric", "name", "anchor"),
    [
        ("links/by-phone", "Links by by-phone", "links"),
        ("work/cache_hits", "Counter cache hits", "work"),
        ("stage_seconds/name-fuzzy", "Time of stage name-fuzzy", "stage_seconds"),
        ("their_own", "their_own", ""),
        ("bad\x1b[31m|name", "bad [31m|name", ""),
    ],
)
def test_a_metric_without_a_name_is_called_by_its_group_or_its_key(metric, name, anchor):
    assert metric_name(metric) == name
    assert metric_anchor(metric) == anchor


def test_the_awards_have_an_anchor_too():
    assert LOST_AWARDS_ANCHOR in HEADINGS
