"""Warnings go to standard error, whatever the verb; standard output has the result alone."""

import pytest

from sbir_gate.documents import save_run, write_run
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.conclusion import write_verdict
from tests.factories import make_policy, make_run, with_lost_links
from tests.fakes import unknown_subject
from tests.program import run_in_process

BASE = make_run(started_at="2026-01-01T00:00:00+00:00")
HEAD = with_lost_links(make_run(), 8)
ON_A_PUSH = {
    "GITHUB_EVENT_NAME": "workflow_dispatch",
    "GITHUB_REPOSITORY": "owner/repository",
    "GITHUB_RUN_ID": "1",
    "GITHUB_SHA": "a" * 40,
}


@pytest.fixture
def saved(tmp_path):
    """A folder with base, head, a verdict that failed, and a damaged entry of the history."""
    write_run(tmp_path / "base.json", BASE)
    write_run(tmp_path / "head.json", HEAD)
    save_run(tmp_path / "reports" / "benchmarks", HEAD)
    write_verdict(tmp_path / "reports", HEAD, judge(HEAD, BASE, make_policy()), unknown_subject)
    history = tmp_path / "reports" / "history"
    history.mkdir()
    (history / "20260101T000000Z-damaged.json").write_text("{")
    return tmp_path


def test_diff_ends_with_the_verdict(saved):
    done = run_in_process(["diff", "base.json", "head.json"], saved, {})
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[-1].startswith("FAIL: enrichment")


def test_report_keeps_warnings_out_of_the_report(saved):
    done = run_in_process(["report", "head.json", "--format", "console"], saved, {})
    assert done.returncode == 0
    assert done.stderr.startswith("warning: ")
    assert "damaged.json" in done.stderr
    assert "warning: " not in done.stdout
    assert done.stdout.splitlines()[-1].startswith(("FAIL: ", "NO-BASELINE: "))


def test_publish_warns_of_a_channel_that_failed(saved):
    done = run_in_process(["publish", "--check"], saved, ON_A_PUSH)
    assert done.returncode == 0
    assert "warning: there is no token for GitHub" in done.stderr
    assert "warning: " not in done.stdout
