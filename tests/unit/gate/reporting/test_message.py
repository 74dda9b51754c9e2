import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing.alerts import alerts_of
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.reporting.message import build_message
from sbir_gate.gate.reporting.slack_blocks import render_slack
from sbir_gate.gate.reporting.view import build_view
from sbir_gate.model.finding import Severity, recorded
from sbir_gate.model.publication import Links
from sbir_gate.model.verdict import Outcome
from tests.factories import make_policy, make_run, scaled, with_metric
from tests.findings import drift

LINKS = Links(run="https://github.example/o/r/actions/runs/1", commit="https://github.example/o/r/commit/c")
HOSTILE = "<!channel> <@U1> &amp; <http://e.example|x> *b* _i_ @everyone `c`"


DRIFT = drift(Severity.WARN, "match_rate", tag="v1.2")


def message_on(head, previous=None, links=LINKS, branch="main", **changes):
    verdict = replace(judge(head, make_run(), make_policy()), **changes)
    return build_message(build_view(head, verdict, links), alerts_of(verdict, branch, previous), links)


MESSAGES = {
    "fail": message_on(scaled(make_run(), "wall_seconds", 1.4)),
    "recovery": message_on(make_run(), previous=Outcome.FAIL),
    "drift": message_on(make_run(), outcome=Outcome.WARN, findings=(DRIFT,)),
    "hostile": message_on(
        with_metric(make_run(gate=HOSTILE), HOSTILE, [float("nan")]), branch=HOSTILE, gate=HOSTILE
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_every_channel_says_the_same(name, check_golden):
    message = MESSAGES[name]
    payload = json.dumps(json.loads(render_slack(message)), indent=1, ensure_ascii=False)
    check_golden(f"message-{name}.json", payload + "\n")


def texts(block):
    return [block["text"]] if "text" in block else block["elements"]


@given(st.text(max_size=400), st.lists(st.text(max_size=4000), max_size=80), st.text(max_size=300))
def test_a_payload_keeps_the_limits_of_slack_whatever_is_in_it(gate, reasons, branch):
    message = message_on(
        make_run(),
        branch=branch,
        gate=gate,
        findings=tuple(recorded(reason, Severity.FAIL) for reason in reasons),
    )
    payload = json.loads(render_slack(message))
    assert 0 < len(payload["blocks"]) <= 50
    for block in payload["blocks"]:
        for text in texts(block):
            assert 0 < len(text["text"]) <= (150 if block["type"] == "header" else 3000)
            assert text["type"] == "plain_text" or set(text["text"].split(" · ")) <= {
                f"<{LINKS.run}|workflow run>",
                f"<{LINKS.commit}|commit>",
            }
    assert "<" not in payload["text"]
    assert ">" not in payload["text"]


def test_an_address_that_is_none_is_left_out():
    assert message_on(make_run(), links=Links(run="https://x.example/|evil> <!channel")).links == ()


def test_an_ampersand_in_an_address_is_written_as_slack_wants_it():
    message = message_on(make_run(), links=Links(run="https://x.example/?a=1&b=2"))
    assert "<https://x.example/?a=1&amp;b=2|workflow run>" in render_slack(message)
