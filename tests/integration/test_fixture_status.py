"""`sbir-gate fixture status` beside a full run, and without one."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from sbir_gate.documents import write_run
from sbir_gate.model.document import QUALITY, encode
from sbir_gate.model.run import Stratum
from tests.factories import make_run
from tests.factories_pipelines import write_pipeline
from tests.factories_quality import make_report
from tests.integration.test_fixture_refresh import SETTINGS, refresh
from tests.program import run_in_process
from tests.tiers import first_fast


@pytest.fixture
def team(tmp_path):
    write_pipeline(tmp_path, 300)
    (tmp_path / "fixtures").mkdir()
    for name in ("awards.csv", "recipients.csv"):
        (tmp_path / "fixtures" / name).write_text((tmp_path / "data" / name).read_text())
    (tmp_path / "fixtures" / "truth.csv").write_text("award_id,recipient_ids\n")
    (tmp_path / "sbir-gate.yaml").write_text(SETTINGS)
    assert refresh(tmp_path, "--count", "60").returncode == 0
    return tmp_path


def status(folder, *options):
    return run_in_process(["fixture", "status", *options], folder, {"PATH": os.environ["PATH"]})


def full_run(folder, **phases):
    strata = tuple(Stratum("phase", phase, count, 0, 0.0, None, None) for phase, count in phases.items())
    run = make_run()
    path = folder / "full.json"
    write_run(path, replace(run, quality=replace(run.quality, strata=strata)))
    return str(path)


def test_it_says_how_old_it_is_and_what_it_cannot_show(team):
    done = status(team)
    assert done.returncode == 0, done.stderr
    assert " awards (awards.csv, SHA-256 " in done.stdout
    assert ", 0 days ago, with seed 1 by sbir-gate " in done.stdout
    assert "full run: none is known; name a Run or quality report with --full" in done.stdout
    assert "losses: the gate fails from 6 lost links in one stratum; " in done.stdout
    found = json.loads(status(team, "--format", "json", "--least", "1000").stdout)
    assert found["full"] is None
    assert found["age_days"] == 0
    assert found["strata"] == len(found["small_strata"])
    assert sum(each["awards"] for each in found["small_strata"]) == found["awards"]
    assert sum(each["all_awards"] for each in found["small_strata"]) == 300


@pytest.mark.slow
def test_phases_that_differ_from_the_full_run_are_named(team):
    done = status(team, "--full", full_run(team, I=10, III=990))
    assert done.returncode == 0, done.stderr
    assert "  differs: phase III: " in done.stdout
    assert "to do: draw it again" in done.stdout
    assert (
        "not compared, because one of the two does not know it: award year, identifier type, method"
        in done.stdout
    )
    found = json.loads(status(team, "--full", full_run(team, I=10, III=990), "--format", "json").stdout)
    assert found["not_compared"] == ["award_year", "identifier_type", "method"]
    assert found["shares"][0]["is_beyond_chance"] is True


def test_a_quality_report_knows_years_and_is_found_by_its_gate(team):
    report = replace(make_report(), gate="full")
    folder = team / "reports" / "quality"
    folder.mkdir(parents=True)
    (folder / "2026-01-31.json").write_text(encode(QUALITY, report))
    found = json.loads(status(team, "--format", "json").stdout)
    assert found["full"]["name"] == "full"
    assert "award_year" in {each["dimension"] for each in found["shares"]}
    named = json.loads(status(team, "--full", "reports/quality/2026-01-31.json", "--format", "json").stdout)
    assert named["shares"] == found["shares"]


@pytest.mark.slow
def test_a_fixture_without_a_draw_is_described_as_far_as_it_goes(team):
    done = status(team, "--set", "fixtures.draw=null")
    assert done.returncode == 0, done.stderr
    assert "drawn: not known (fixtures.draw is not set): each award counts once" in done.stdout
    assert "links of the fixture in all" in done.stdout


def test_the_draw_of_the_settings_is_not_held_against_other_awards(team):
    done = status(team, "--set", "fixtures.awards=data/awards.csv", "--set", "fixtures.truth=null")
    assert done.returncode == 0, done.stderr
    assert "drawn: not known (fixtures.draw is not set): each award counts once" in done.stdout


@pytest.mark.parametrize(
    ("options", "problem"),
    first_fast(
        [
            (["--full", "missing.json"], "missing.json: no such file"),
            (["--full", "fixtures/draw.json"], "is a document of kind 'fixture-draw'"),
            (["--full", "a", "--history", "b"], "exclude one another"),
            (["--set", "fixtures.draw=fixtures/truth.csv"], "fixtures/truth.csv: "),
            (
                ["--set=fixtures.awards=data/awards.csv", "--set=fixtures.draw=fixtures/draw.json"],
                "this is not how the fixture was drawn",
            ),
        ]
    ),
)
def test_wrong_input_is_one_line(team, options, problem):
    done = status(team, *options)
    assert (done.returncode, done.stderr.count("error: ")) == (2, 1)
    assert problem in done.stderr
