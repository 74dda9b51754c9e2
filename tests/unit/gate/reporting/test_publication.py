import re
from dataclasses import replace

import pytest

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.reporting.metric_names import metric_name
from sbir_gate.gate.reporting.publication import build_publication
from sbir_gate.model.finding import Severity, recorded
from sbir_gate.model.publication import Links, TrendSeries
from sbir_gate.model.verdict import AwardChange, Outcome, PolicyEdit
from tests.factories import award_id, make_policy, make_run, no_link, scaled, with_decisions, with_metric
from tests.github_markdown import render

LINKS = Links(run="https://github.example/o/r/actions/runs/1", artifact="https://github.example/o/r/a/2")
COMMENT_CHARACTERS = 65_000
HOSTILE = "| <script> @everyone #12 ![i](http://e.example) `" * 3


def published(head, reference=None, **changes):
    verdict = judge(head, reference or make_run(), make_policy())
    return of(head, replace(verdict, **changes))


def of(run, verdict, links=LINKS, trends=()):
    return build_publication(run, verdict, origins={}, trends=trends, links=links)


def worse():
    lost = {award_id(number): no_link(award_id(number)) for number in range(8)}
    return with_decisions(scaled(make_run(), "wall_seconds", 1.4), lost)


def huge():
    """Return the verdict of a change that breaks everything there is, with the longest names."""
    head = worse()
    for number in range(500):
        head = with_metric(head, f"{HOSTILE}{number}", [float("nan")])
    verdict = judge(head, make_run(), make_policy())
    lost = tuple(
        AwardChange(f"{HOSTILE}{number}", HOSTILE * 9, HOSTILE, "", HOSTILE, "none", True, False)
        for number in range(5000)
    )
    return head, replace(verdict, records=replace(verdict.records, lost=lost))


def test_what_matters_comes_first():
    text = published(worse()).texts[0]
    places = [
        text.index(part)
        for part in (
            "### ❌ sbir-gate: fail",
            "| ❌&nbsp;Wall time",
            "**Correct links lost**",
            "**Next:**",
            "All 6",
        )
    ]
    assert places == sorted(places)


def test_each_text_is_shorter_than_the_one_before():
    lengths = [len(text) for text in published(worse()).texts]
    assert lengths == sorted(lengths, reverse=True)
    assert len(set(lengths)) == len(lengths) > 3


def test_something_fits_into_a_comment_whatever_is_wrong_and_says_what_fails():
    publication = of(*huge())
    fitting = [text for text in publication.texts if len(text) <= COMMENT_CHARACTERS]
    assert fitting
    for text in publication.texts:
        assert text.startswith("### ❌ sbir-gate: fail")
        assert "| ❌&nbsp;" in text
    assert "more failing metrics are in the reports" in fitting[-1]


@pytest.mark.parametrize(("failing", "name"), [(500, "a_metric_of_usual_length_"), (240, HOSTILE)])
def test_every_failing_row_is_in_the_comment_as_long_as_there_is_room(failing, name):
    head = worse()
    for number in range(500):
        values = [float("nan")] if number < failing else [1.0]
        head = with_metric(head, f"{name}{number}", values)
    verdict = replace(
        judge(head, make_run(), make_policy()),
        findings=tuple(recorded(f"{HOSTILE}{n}", Severity.FAIL) for n in range(300)),
    )
    text = next(text for text in of(head, verdict).texts if len(text) <= COMMENT_CHARACTERS)
    assert text.count("| ❌&nbsp;") == failing + 2
    assert "more failing metrics" not in text


def test_no_length_hides_that_the_policy_was_edited():
    edits = tuple(PolicyEdit("{" * 200, "{" * 200, "{" * 200) for _ in range(50))
    texts = published(worse(), policy_edits=edits).texts
    assert len(texts[0]) > 2 * len(texts[-1])
    for text in texts:
        assert "> **This change edits what it is judged by" in text


def test_rows_that_are_left_out_are_counted():
    texts = published(worse()).texts
    left_out = texts[0].count("| ✅&nbsp;")
    assert f"{left_out} more metrics are in the reports." in texts[-1]


def test_the_comment_looks_as_it_should(check_golden):
    trends = (
        TrendSeries("match_rate", "ratio", ("1a2b3c4", "5d6e7f8", "ccccccc"), (0.75, 0.7525, 0.75)),
        TrendSeries("wall_seconds", "s", ("1a2b3c4", "5d6e7f8", "ccccccc"), (1.69, 1.71, 2.38), 2.125),
    )
    head = worse()
    texts = of(head, judge(head, make_run(), make_policy()), trends=trends).texts
    check_golden("comment-fullest.md", texts[0])
    check_golden("comment-barest.md", texts[-1])


def test_a_comment_of_five_thousand_awards_has_the_failing_rows_and_says_where_the_others_are():
    head = worse()
    verdict = judge(head, make_run(), make_policy())
    lost = tuple(
        AwardChange(
            f"A{number:06}",
            f"Firm {number} of Springfield, Incorporated",
            f"R{number}",
            "",
            "uei-exact",
            "none",
            True,
            False,
        )
        for number in range(5000)
    )
    verdict = replace(verdict, records=replace(verdict.records, lost=lost))
    text = next(text for text in of(head, verdict).texts if len(text) <= COMMENT_CHARACTERS)
    for change in verdict.changes:
        if change.severity is Severity.FAIL:
            assert f"| ❌&nbsp;{metric_name(change.metric)} |" in text
    assert "**Correct links lost** (5 of 5,000; all in `changed-awards.csv`)" in text
    assert "<summary>4,995 more correct links lost</summary>" in text
    assert f"[reports and changed awards]({LINKS.artifact})" in text


def test_links_and_trends_are_there_and_render():
    trends = (TrendSeries("match_rate", "ratio", ("a", "b"), (0.8, 0.9)),)
    verdict = judge(make_run(), make_run(), make_policy())
    text = of(make_run(), verdict, trends=trends).texts[0]
    html = render(text)
    assert f'<a href="{LINKS.run}">workflow run</a>' in html
    assert '<pre lang="mermaid"><code>%%{init' in html
    assert "mermaid" not in of(make_run(), verdict, trends=trends).texts[-1]


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://e.example/)x(", "//e.example", "x", "https://"]
)
def test_an_address_that_is_none_makes_no_link(address):
    verdict = judge(make_run(), make_run(), make_policy())
    assert "](" not in of(make_run(), verdict, links=Links(run=address)).texts[0]


def test_nothing_of_data_is_markup_in_any_text():
    for text in of(*huge()).texts:
        html = re.sub(r"<pre.*?</pre>", "", render(text), flags=re.DOTALL)
        assert "<script" not in html
        assert "<img" not in html
        assert not re.search(r"@\w", html)


def test_the_title_is_one_line_that_says_why():
    assert published(make_run()).title == "pass · no links lost"
    slower = published(scaled(make_run(), "wall_seconds", 1.4))
    assert slower.title == "fail · Wall time +40% (limit +25%)"


@pytest.mark.parametrize("reference", [None, make_run(gate="another")], ids=["no baseline", "incomparable"])
def test_where_nothing_was_compared_nothing_is_called_unchanged(reference):
    head = make_run()
    for text in of(head, judge(head, reference, make_policy())).texts[:2]:
        assert "unchanged" not in text
        assert "no links lost" not in text


class TestDigest:
    def test_noise_in_time_is_no_news(self):
        assert published(scaled(make_run(), "wall_seconds", 1.01)).digest == published(make_run()).digest

    @pytest.mark.parametrize(
        "head",
        [
            scaled(make_run(), "wall_seconds", 1.4),
            with_metric(make_run(), "match_rate", [0.74]),
            make_run(source=replace(make_run().source, commit="d" * 40)),
            with_decisions(make_run(), {award_id(1): no_link(award_id(1))}),
        ],
    )
    def test_another_outcome_value_commit_or_award_is_news(self, head):
        assert published(head).digest != published(make_run()).digest

    @pytest.mark.parametrize("severity", [Severity.FAIL, Severity.INFO])
    def test_another_reason_or_note_is_news(self, severity):
        before, after = (
            {"findings": (recorded(text, severity),), "outcome": Outcome.ERROR}
            for text in ("gate.yaml:4: a", "gate.yaml:9: b")
        )
        assert published(make_run(), **before).digest != published(make_run(), **after).digest
