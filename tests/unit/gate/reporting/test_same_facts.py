"""Comment, check, Slack and console are views of one verdict: the same headline, figures and rows."""

import html
import json
import re
from collections import Counter

import pytest

from sbir_gate.gate.comparing.alerts import alerts_of
from sbir_gate.gate.reporting.awards_view import changed_awards
from sbir_gate.gate.reporting.console import render_console
from sbir_gate.gate.reporting.markdown import render_markdown
from sbir_gate.gate.reporting.message import build_message
from sbir_gate.gate.reporting.publication import build_publication
from sbir_gate.gate.reporting.report_page import render_report_page
from sbir_gate.gate.reporting.slack_blocks import render_slack
from sbir_gate.gate.reporting.view import build_view
from sbir_gate.model.publication import Background, Links
from tests.github_markdown import render, text_of
from tests.pictures.cases import make_case, names

NO_BREAK = "\N{NO-BREAK SPACE}"


def channels(name):
    """Return what each channel shows of one kind of verdict, as text on one line."""
    run, verdict = make_case(name)
    view = build_view(run, verdict)
    alerts = alerts_of(verdict, "main", None)
    message = build_message(view, alerts, Links())
    blocks = json.loads(render_slack(message))["blocks"]
    slack = [text["text"] for block in blocks for text in (block.get("elements") or [block["text"]])]
    published = build_publication(run, verdict, origins={}, trends=(), links=Links())
    shown = {
        "comment": text_of(render(render_markdown(view))),
        "check": f"{published.title} {text_of(render(published.texts[0]))}",
        "slack": " ".join(slack),
        "console": render_console(view, 200, use_colour=False),
    }
    if run is not None:
        page = render_report_page(run, verdict, Background())
        body = re.sub(r"<script.*?</script>", "", page[page.index("<body>") :], flags=re.DOTALL)
        shown["page"] = html.unescape(re.sub(r"<[^>]+>", " ", body))
    return view, {channel: " ".join(text.replace(NO_BREAK, " ").split()) for channel, text in shown.items()}


@pytest.mark.parametrize("name", names())
def test_every_channel_has_the_headline_the_figures_and_the_open_rows(name):
    view, shown = channels(name)
    reason = view.headline.partition(" · ")[2]
    for channel, text in shown.items():
        assert reason in text, channel
        for figure in view.figures:
            assert figure in text, channel
        for row in view.open_rows:
            for cell in (row.name, row.limit, row.values, row.estimate if view.is_all_doubt else row.change):
                assert cell == "-" or cell in text, f"{channel}: {cell}"


@pytest.mark.parametrize("name", names())
def test_no_channel_has_a_percentage_that_no_other_has(name):
    """A figure is worded once: what one channel rounds, no other rounds otherwise."""
    _, shown = channels(name)
    percentages = {
        channel: set(re.findall(r"[+\N{MINUS SIGN}][\d.,]+%", text)) for channel, text in shown.items()
    }
    for channel in ("check", "slack", "console"):
        assert percentages[channel] <= percentages["comment"], channel
    # the charts name the change of metrics that the comment shows as "~", never another figure
    assert percentages.get("page", set()) <= percentages["comment"]


def test_the_page_lists_each_award_that_the_comment_counts():
    run, verdict = make_case("fail")
    view, shown = channels("fail")
    tables = {table.title: table.count for table in (*view.awards.folded, *view.awards.open)}
    listed = changed_awards(verdict.records)
    assert Counter(each.change for each in listed) == tables
    for each in listed:
        for cell in (each.row.award_id, each.row.firm, str(each.row.before), str(each.row.after)):
            assert cell in shown["page"]
    assert run is not None


def test_the_title_of_the_check_is_the_headline_of_the_comment():
    run, verdict = make_case("fail")
    title = build_publication(run, verdict, origins={}, trends=(), links=Links()).title
    assert render_markdown(build_view(run, verdict)).startswith(f"### ❌ sbir-gate: {title}\n")
