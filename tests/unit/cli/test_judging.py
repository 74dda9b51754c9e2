from dataclasses import replace
from datetime import timedelta

import pytest

from sbir_gate.cli.judging import renderer
from sbir_gate.documents import save_run
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.interface import compare_runs
from sbir_gate.gate.kept_runs import keep_run
from sbir_gate.gate.rendering import Judged, render
from sbir_gate.model.verdict import Outcome
from sbir_gate.settings.effective import load_settings
from tests.factories import make_policy, make_run, scaled, with_lost_links


@pytest.fixture
def settings(tmp_path):
    return load_settings(None, {}, {}, (f"reports.folder={tmp_path}", "drift.branch=main")).settings


@pytest.fixture
def history(settings):
    for day in range(1, 6):
        keep_run(make_run(started_at=f"2026-01-0{day}T00:00:00+00:00"), Outcome.PASS, (), settings)


@pytest.fixture
def slow():
    run = scaled(make_run(), "wall_seconds", 1.9)
    return run, judge(run, make_run(started_at="2026-01-01T00:00:00+00:00"), make_policy())


@pytest.mark.usefixtures("history")
def test_markdown_has_the_trends_of_the_comment_with_the_limit(settings, slow):
    run, verdict = slow
    text = renderer("markdown", is_verbose=True)(Judged(run, verdict, (), settings))
    assert text.count("xychart-beta") == 2
    assert 'title "Wall time, s, limit ' in text


@pytest.mark.usefixtures("history")
def test_a_setting_leaves_the_trends_out(tmp_path, slow):
    run, verdict = slow
    none = load_settings(None, {}, {}, (f"reports.folder={tmp_path}", "publishing.trend_runs=0")).settings
    assert "mermaid" not in renderer("markdown", is_verbose=True)(Judged(run, verdict, (), none))


def test_without_a_history_or_settings_there_are_no_trends(settings, slow):
    run, verdict = slow
    shown = renderer("markdown", is_verbose=True)
    assert "mermaid" not in shown(Judged(run, verdict))
    assert shown(Judged(run, verdict)) == shown(Judged(run, verdict, (), settings))


@pytest.mark.parametrize("format_", ["console", "markdown", "html"])
def test_a_lost_link_of_a_diff_is_explained_against_the_run_that_was_named(format_, tmp_path):
    base = replace(make_run(), enricher="built-in")
    head = replace(with_lost_links(base, 7), started_at=base.started_at + timedelta(hours=1))
    paths = [str(save_run(tmp_path, run)) for run in (base, head)]
    text = render(compare_runs(paths[1], paths[0]), format_, width=2000)
    assert f"explain A0000 --against {paths[0]}" in text
