"""An upgrade of sbir-gate: the baseline of the version before is read, and nobody's main turns red."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from sbir_gate.cli.application import application
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.measuring.benchmark import BenchmarkResult
from sbir_gate.gate.measuring.metrics import derive_metrics
from sbir_gate.gate.measuring.output import check_rows
from sbir_gate.model.definitions import DEFINITIONS
from sbir_gate.model.document import RUN, VERDICT, decode
from sbir_gate.model.samples import Calibration
from sbir_gate.model.verdict import NotCompared, Outcome
from sbir_gate.settings.effective import load_settings
from sbir_gate.settings.judgement import policy
from tests.factories import decisions_of
from tests.findings import notes, reasons

DOCUMENTS = Path(__file__).parents[1] / "data" / "documents" / "format-2"
FOLDERS = sorted(DOCUMENTS.parent.glob("format-*"))
REDEFINED = {"cpu_seconds", "peak_rss_mib", "memory_delta_mib"}


@pytest.fixture
def baseline():
    return decode(RUN, (DOCUMENTS / "baseline.json").read_text(), "baseline.json")


def measured_again(run):
    """Return the Run as this version derives it from the same samples."""
    samples = tuple(replace(sample, memory_method="pss", cpu_method="cgroup") for sample in run.samples)
    result = BenchmarkResult(
        samples=samples,
        decisions=decisions_of(run),
        disagreements=(),
        faults=check_rows(decisions_of(run), tuple(award.award_id for award in run.awards)),
        calibrations=tuple(Calibration(wall, wall) for wall in run.calibration_seconds),
    )
    return replace(
        run,
        samples=samples,
        metrics=derive_metrics(result, run.quality, run.fixture.awards),
        calibration_cpu_seconds=run.calibration_seconds,
        definitions=DEFINITIONS,
    )


def test_a_baseline_of_format_2_is_compared_but_for_what_is_defined_anew(baseline):
    verdict = judge(measured_again(baseline), baseline, policy(load_settings(None, {}).settings))
    assert (verdict.outcome, reasons(verdict)) == (Outcome.PASS, ())
    older = {change.metric for change in verdict.changes if change.not_compared}
    assert older == REDEFINED
    assert sum("older definition (version 1, now 2)" in note for note in notes(verdict)) == len(REDEFINED)
    compared = {change.metric for change in verdict.changes if change.reference is not None}
    assert {"wall_seconds", "match_rate", "precision", "links/uei-exact"} <= compared


def test_more_memory_than_an_absolute_limit_fails_beside_a_baseline_of_format_2(baseline):
    head = measured_again(baseline)
    metrics = tuple(
        replace(metric, values=(9000.0,) * 3) if metric.name == "memory_delta_mib" else metric
        for metric in head.metrics
    )
    verdict = judge(replace(head, metrics=metrics), baseline, policy(load_settings(None, {}).settings))
    assert verdict.outcome is Outcome.WARN
    assert "Memory growth: 9,000 MiB, above the maximum of 500 MiB" in reasons(verdict)[0]


def said(*arguments):
    """Return what a command prints, and its exit status."""
    result = CliRunner().invoke(application, list(map(str, arguments)))
    return result.output, result.exit_code


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
class TestSavedDocumentsOfEveryFormat:
    """What an older version saved is judged, reported, kept and published as if it were saved today."""

    def test_runs_are_compared_award_by_award_as_they_were(self, folder):
        output, status = said("diff", folder / "baseline.json", folder / "run.json", "--format", "json")
        judged = decode(VERDICT, output, "output")
        saved = decode(VERDICT, (folder / "verdict.json").read_text(), "verdict.json")
        baseline, run = (
            decode(RUN, (folder / name).read_text(), name) for name in ("baseline.json", "run.json")
        )
        links = {award.award_id: (award.link, None) for award in baseline.awards}
        links |= {award.award_id: (links[award.award_id][0], award.link) for award in run.awards}
        lost = {award_id for award_id, (before, after) in links.items() if before and not after}
        assert {change.award_id for change in judged.records.lost} == lost
        if saved.reference_started_at != baseline.started_at:
            return  # it was saved beside a base that is not among the documents
        for name in ("lost", "gained", "relinked"):
            # older verdicts hold no confidence
            found = [
                replace(change, before_confidence=None, after_confidence=None)
                for change in getattr(judged.records, name)
            ]
            assert found == list(getattr(saved.records, name))
        assert status == (1 if judged.outcome is Outcome.FAIL else 0)

    def test_a_report_is_made_again_of_a_saved_verdict(self, folder):
        output, status = said("report", folder / "run.json", "--verdict", folder / "verdict.json")
        saved = decode(VERDICT, (folder / "verdict.json").read_text(), "verdict.json")
        assert (status, saved.head_commit[:12] in output) == (0, True)

    def test_runs_are_taken_into_a_history_and_old_entries_are_listed(self, folder, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        kept = tmp_path / "reports" / "history"
        kept.mkdir(parents=True)
        (kept / "old.json").write_bytes((folder / "history.json").read_bytes())
        output, status = said("history", "import", folder / "baseline.json", folder / "run.json")
        assert status == 0, output
        output, status = said("history", "list")
        assert (status, output.count("enrichment")) == (0, 3)

    def test_a_saved_verdict_is_published(self, folder, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "reports" / "benchmarks").mkdir(parents=True)
        for name, place in (("verdict", "."), ("alerts", "."), ("run", "benchmarks")):
            target = tmp_path / "reports" / place / f"{name}.json"
            target.write_bytes((folder / f"{name}.json").read_bytes())
        output, status = said("publish", "--dry-run")
        saved = decode(VERDICT, (folder / "verdict.json").read_text(), "verdict.json")
        assert (status, saved.head_commit[:12] in output) == (0, True)


@pytest.mark.slow
def test_a_run_beside_a_baseline_of_format_2_passes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "baselines").mkdir()
    (tmp_path / "baselines" / "enrichment.json").write_bytes((DOCUMENTS / "baseline.json").read_bytes())
    (tmp_path / "fixtures").symlink_to(DOCUMENTS / "fixtures")
    # other work on this machine is not what is tested
    calm = {"warn_percent": None, "fail_percent": 100000}
    settings = {"gate": {"metrics": {"wall_seconds": calm, "cpu_seconds": calm}}}
    (tmp_path / "gate.yaml").write_text(json.dumps(settings))
    result = CliRunner().invoke(application, ["run", "--config", "gate.yaml", "--repeats", "2"])
    assert result.exit_code == 0, result.output
    verdict = decode(VERDICT, (tmp_path / "reports" / "verdict.json").read_text(), "verdict.json")
    assert verdict.outcome is Outcome.PASS
    assert {
        change.metric for change in verdict.changes if change.not_compared is NotCompared.OLDER_DEFINITION
    } == REDEFINED
