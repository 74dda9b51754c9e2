import re
import shlex
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sbir_gate.documents import load_alerts, load_run, load_verdict
from sbir_gate.errors import DocumentError, EnricherError, ExitStatus, InputError, OutputError
from sbir_gate.gate.enricher_plan import interpreter, settings_digest
from sbir_gate.gate.fixture import describe_fixture, read_profiles
from sbir_gate.gate.measuring.process import ProcessResult
from sbir_gate.gate.reporting.messages import text
from sbir_gate.gate.reporting.notices import alert_text
from sbir_gate.gate.run import measure, run_gate
from sbir_gate.gate.storing.baselines import promote
from sbir_gate.gate.storing.history import open_history
from sbir_gate.gate.storing.sessions import latest_run_path
from sbir_gate.model.alert import AlertKind
from sbir_gate.model.awards import Label
from sbir_gate.model.finding import Place
from sbir_gate.model.history import HistoryQuery
from sbir_gate.model.verdict import Outcome
from sbir_gate.settings.effective import load_settings
from tests.fakes import AWARDS, NOW, FakeEngine, fake_edges, write_fixture
from tests.findings import reasons
from tests.tiers import first_fast


@pytest.fixture
def folder(tmp_path):
    write_fixture(tmp_path)
    return tmp_path


def settings(folder, *assignments, file=None, **options):
    fixed = {
        "fixtures.awards": str(folder / "awards.csv"),
        "fixtures.recipients": str(folder / "recipients.csv"),
        "fixtures.truth": str(folder / "truth.csv"),
        "gate.baselines_folder": str(folder / "baselines"),
        "reports.folder": str(folder / "reports"),
        "benchmark.repeats": 2,
    }
    return load_settings(file, {}, fixed | options, assignments)


def quietly(_words):
    pass


def gate(effective, engine):
    return run_gate(effective, fake_edges(engine), quietly)


def left_behind(folder):
    return load_verdict(folder / "reports" / "verdict.json")


# the main job


def test_the_run_says_who_measured_what_where_and_is_saved_as_it_is(folder):
    result = gate(settings(folder), FakeEngine())
    run = load_run(result.run_path)
    assert run == result.run
    assert result.run_path.name == "20260131T120000Z.json"
    assert run.started_at == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert (run.source.commit, run.enricher) == ("c" * 40, "built-in")
    assert (run.fixture.awards, run.quality.match_rate, run.quality.precision) == (AWARDS, 1.0, 1.0)
    assert run.awards[3].firm_name == "Firm 3 Inc"
    assert {award.label for award in run.awards} == {Label.CORRECT}
    assert run.engine_notes["model"] == "7"
    assert load_verdict(result.verdict_path) == result.verdict
    assert "no baseline yet" in result.report_path.read_text()


def test_the_same_again_passes_and_lost_links_fail_by_name(folder):
    effective = settings(folder)
    promote(gate(effective, FakeEngine()).run, folder / "baselines")
    assert gate(effective, FakeEngine()).verdict.outcome is Outcome.PASS
    worse = gate(effective, FakeEngine(links=AWARDS - 2)).verdict
    assert worse.outcome is Outcome.FAIL
    assert [award.award_id for award in worse.records.lost] == ["A10", "A11"]


def test_without_a_truth_nothing_is_said_of_right_and_wrong(folder):
    without = settings(folder, "fixtures.truth=null", **{"fixtures.truth": None})
    run = measure(without, fake_edges(FakeEngine()), quietly).run
    assert (run.has_truth, run.quality.precision) == (False, None)
    assert {award.label for award in run.awards} == {Label.UNLABELLED}


def test_progress_tells_what_is_done(folder):
    told = []
    run_gate(settings(folder), fake_edges(FakeEngine()), told.append)
    assert told == [
        "gate enrichment; engine: built-in; settings file: none",
        "reading the fixtures",
        "warming up",
        "repeat 1 of 2",
        "repeat 2 of 2",
        "measuring quality",
    ]


def test_nothing_temporary_stays(folder, tmp_path_factory, monkeypatch):
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(temporary))  # the documented place to set it
    gate(settings(folder), FakeEngine())
    with pytest.raises(EnricherError):
        gate(settings(folder), FakeEngine(ends=ProcessResult(1, False, 1.0, 1.0, 1.0, ("oh no",))))
    assert list(temporary.iterdir()) == []


# what goes wrong


@pytest.mark.parametrize("name", first_fast(["awards.csv", "recipients.csv", "truth.csv"]))
@pytest.mark.parametrize("run", [1, 3])
def test_an_engine_that_changes_its_inputs_is_an_error_that_names_the_file(folder, name, run):
    class Tampering(FakeEngine):
        def __call__(self, request):
            if len(self.commands) == run - 1:
                (folder / name).write_text("")
            return super().__call__(request)

    with pytest.raises(EnricherError, match=f"{name}: changed by the enricher"):
        gate(settings(folder), Tampering())
    verdict = left_behind(folder)
    assert (verdict.outcome, name in reasons(verdict)[0]) == (Outcome.ERROR, True)


def test_an_engine_that_changes_the_settings_file_is_an_error_that_names_it(folder):
    """The next command, which may have a token, would read it."""
    file = folder / "own.yaml"
    file.write_text("gate: {max_lost: 3}\n")

    class Tampering(FakeEngine):
        def __call__(self, request):
            file.write_text("gate: {max_lost: 3000}\n")
            return super().__call__(request)

    with pytest.raises(EnricherError, match=r"own\.yaml: changed by the enricher"):
        gate(settings(folder, file=file), Tampering())


def test_an_engine_that_changes_the_settings_that_it_is_handed_is_an_error(folder):
    class Tampering(FakeEngine):
        def __call__(self, request):
            arguments = list(request.arguments)
            Path(arguments[arguments.index("--config") + 1]).write_text("{}")
            return super().__call__(request)

    with pytest.raises(EnricherError, match=r"settings\.yaml: changed by the enricher"):
        gate(settings(folder), Tampering())


@pytest.mark.parametrize(
    ("ends", "words"),
    first_fast(
        [
            (ProcessResult(1, False, 1.0, 1.0, 1.0, ("oh no",)), "exit status 1: oh no"),
            (ProcessResult(-9, False, 1.0, 1.0, 1.0), "SIGKILL"),
            (ProcessResult(0, True, 300.0, 1.0, 1.0), "timed out"),
        ]
    ),
)
def test_a_broken_enricher_leaves_an_error_and_no_older_verdict(folder, ends, words):
    effective = settings(folder)
    assert gate(effective, FakeEngine()).verdict.outcome is Outcome.NO_BASELINE
    with pytest.raises(EnricherError, match=words) as caught:
        gate(effective, FakeEngine(ends=ends))
    assert caught.value.exit_status is ExitStatus.BROKEN
    verdict = left_behind(folder)
    assert verdict.outcome is Outcome.ERROR
    assert words in reasons(verdict)[0]
    assert words in (folder / "reports" / "report.md").read_text()
    assert len(list((folder / "reports" / "benchmarks").iterdir())) == 1  # no Run of what broke


class Stopped(BaseException):
    """Ctrl-C, or a fault of the program: not one of the errors that are explained."""


@pytest.mark.slow
def test_whatever_else_stops_the_gate_leaves_no_verdict_at_all(folder):
    effective = settings(folder)
    gate(effective, FakeEngine())

    def stop(_request):
        raise Stopped

    with pytest.raises(Stopped):
        gate(effective, stop)
    assert not (folder / "reports" / "verdict.json").exists()
    assert not (folder / "reports" / "report.md").exists()


@pytest.mark.parametrize("text", ["", "{", '{"format_version": 1}', "\x00"])
def test_a_damaged_baseline_is_an_error_before_anything_is_measured(folder, text):
    (folder / "baselines").mkdir()
    (folder / "baselines" / "enrichment.json").write_text(text)
    engine = FakeEngine()
    with pytest.raises(DocumentError, match=re.escape("baselines/enrichment.json")) as caught:
        gate(settings(folder), engine)
    assert caught.value.exit_status is ExitStatus.WRONG_INPUT
    assert left_behind(folder).outcome is Outcome.ERROR
    assert engine.commands == []


@pytest.mark.parametrize("name", ["awards.csv", "recipients.csv", "truth.csv"])
@pytest.mark.parametrize("damage", ["missing", "empty"])
def test_fixtures_that_cannot_be_read_are_named_and_nothing_is_measured(folder, name, damage):
    (folder / name).unlink()
    if damage == "empty":
        (folder / name).touch()
    engine = FakeEngine()
    with pytest.raises(InputError, match=re.escape(name)):
        gate(settings(folder), engine)
    assert left_behind(folder).outcome is Outcome.ERROR
    assert engine.commands == []


def test_the_built_in_engine_hands_over_the_facts_of_an_input_error(folder):
    ends = ProcessResult(2, False, 1.0, 1.0, 1.0, ("error: recipients.csv:7: no such column; name it",))
    error = InputError("no such column", "name it", path="recipients.csv", line=7)
    with pytest.raises(InputError) as caught:
        gate(settings(folder), FakeEngine(ends=ends, error=error))
    assert caught.value.fault == error.fault
    (finding,) = left_behind(folder).findings
    assert (finding.place, finding.facts["hint"]) == (Place("recipients.csv", 7), "name it")
    assert text(finding) == "recipients.csv:7: no such column"


def test_the_row_of_a_table_that_the_built_in_engine_names_is_kept(folder):
    ends = ProcessResult(2, False, 1.0, 1.0, 1.0, ("error: awards.parquet: row 1,234: not a number",))
    error = InputError("not a number", path="awards.parquet", row=1234, column="year", value="x")
    with pytest.raises(InputError) as caught:
        gate(settings(folder), FakeEngine(ends=ends, error=error))
    assert caught.value.fault == error.fault


def test_an_input_error_without_facts_is_that_of_its_last_line(folder):
    ends = ProcessResult(2, False, 1.0, 1.0, 1.0, ("error: no such column",))
    with pytest.raises(InputError, match="exit status 2: error: no such column"):
        gate(settings(folder), FakeEngine(ends=ends))


def test_status_2_of_an_outside_enricher_means_only_that_it_broke(folder):
    ends = ProcessResult(2, False, 1.0, 1.0, 1.0, ("error: mine",))
    command = "engine {awards} {recipients} {output} {metrics}"
    with pytest.raises(EnricherError, match="exit status 2: error: mine"):
        gate(settings(folder, **{"enricher.command": command}), FakeEngine(ends=ends))


def test_an_older_verdict_that_cannot_be_removed_is_an_error(folder):
    (folder / "reports" / "verdict.json").mkdir(parents=True)
    with pytest.raises(OutputError, match="verdict of an earlier run cannot be removed"):
        gate(settings(folder), FakeEngine())


# history and alerts


def history_of(folder):
    with open_history(folder / "reports" / "history") as history:
        return history.rows(HistoryQuery())


def test_every_run_is_kept_in_the_history_with_its_outcome_and_the_tags_of_its_commit(folder):
    effective = settings(folder)
    result = gate(effective, FakeEngine())
    promote(result.run, folder / "baselines")
    run_gate(effective, fake_edges(FakeEngine(links=AWARDS - 2), NOW + timedelta(hours=1)), quietly)
    first, second = history_of(folder)
    assert (first.outcome, second.outcome) == (Outcome.NO_BASELINE, Outcome.FAIL)
    assert (first.commit, first.tags, first.calibration_seconds) == ("c" * 40, ("v1.0",), 0.05)
    assert result.warnings == ()


def test_alerts_are_written_and_an_older_list_never_stands_for_a_newer_run(folder):
    effective = settings(folder)
    result = gate(effective, FakeEngine(links=2))
    assert load_alerts(effective.settings.reports.folder / "alerts.json") == result.alerts
    assert [alert.metric for alert in result.alerts.alerts] == ["match_rate"]
    with pytest.raises(InputError):
        gate(settings(folder, **{"fixtures.awards": "missing.csv"}), FakeEngine())
    (alert,) = load_alerts(folder / "reports" / "alerts.json").alerts
    assert (alert.kind, "missing.csv" in alert_text(alert)) == (AlertKind.FAULT, True)


def test_a_crash_is_remembered_and_the_next_run_is_a_recovery(folder):
    effective = settings(folder)
    promote(gate(effective, FakeEngine()).run, folder / "baselines")
    broken = FakeEngine(ends=ProcessResult(1, False, 1.0, 1.0, 1.0, ("oh no",)))
    with pytest.raises(EnricherError):
        run_gate(effective, fake_edges(broken, NOW + timedelta(hours=1)), quietly)
    assert [row.outcome for row in history_of(folder)] == [Outcome.NO_BASELINE, Outcome.ERROR]
    well = run_gate(effective, fake_edges(FakeEngine(), NOW + timedelta(hours=2)), quietly)
    assert [alert.kind for alert in well.alerts.alerts] == [AlertKind.RECOVERY]


def test_wrong_input_is_not_remembered(folder):
    with pytest.raises(InputError):
        gate(settings(folder, **{"fixtures.awards": "missing.csv"}), FakeEngine())
    assert history_of(folder) == ()


# what the child is given


def test_the_child_sees_the_very_settings_in_force(folder):
    engine = FakeEngine()
    effective = settings(folder, "matching.acceptance_limit=0.42", "matching.methods=[uei-exact]")
    gate(effective, engine)
    assert len(engine.config_texts) == 3  # a warm-up and two repeats
    (folder / "child.yaml").write_text(engine.config_texts[0])
    childs = load_settings(folder / "child.yaml", {}).settings
    assert childs == effective.settings
    assert childs.matching.acceptance_limit == 0.42


def test_the_built_in_engine_is_called_as_a_user_would_call_it(folder):
    engine = FakeEngine()
    gate(settings(folder), engine)
    command = engine.commands[-1]
    assert command[1:4] == ["-m", "sbir_gate", "enrich"]
    assert command[command.index("--awards") + 1] == str(folder / "awards.csv")
    assert command[command.index("--recipients") + 1] == str(folder / "recipients.csv")


def test_an_outside_enricher_gets_its_own_words_and_no_config(folder):
    engine = FakeEngine()
    words = ["my engine", "it's", "{awards}", "{recipients}", "{output}", "{metrics}"]
    result = gate(settings(folder, **{"enricher.command": shlex.join(words)}), engine)
    assert engine.commands[0][:2] == words[:2]
    assert "--config" not in engine.commands[0]
    assert shlex.split(result.run.enricher) == words


def test_an_outside_enricher_runs_in_the_interpreter_of_its_choice_and_the_built_in_one_never(folder):
    chosen = {"enricher.python": str(folder / "their python")}
    engine = FakeEngine()
    words = "{python} enrich.py {awards} {recipients} {output} {metrics}"
    gate(settings(folder, **{"enricher.command": words}, **chosen), engine)
    assert engine.commands[0][0] == str(folder / "their python")
    gate(settings(folder, **chosen), engine)
    assert engine.commands[-1][0] == sys.executable


@pytest.mark.parametrize(("named", "is_path"), [(".venv/bin/python", True), ("python3", False)])
def test_a_relative_interpreter_is_the_same_in_the_checkout_of_the_base(folder, named, is_path):
    chosen = {"enricher.command": "{python} e.py {awards} {recipients} {output}", "enricher.python": named}
    expected = str(Path.cwd() / named) if is_path else named
    assert interpreter(settings(folder, **chosen).settings) == expected


# fixtures and settings as fingerprints


@pytest.mark.parametrize("name", ["awards.csv", "recipients.csv", "truth.csv"])
def test_any_byte_changes_the_fingerprint_of_the_fixture(folder, name):
    before = describe_fixture(settings(folder), AWARDS)
    path = folder / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert describe_fixture(settings(folder), AWARDS).fingerprint != before.fingerprint


def test_a_byte_that_moves_from_one_file_to_the_next_changes_the_fingerprint(folder):
    before = describe_fixture(settings(folder), AWARDS)
    awards, recipients = folder / "awards.csv", folder / "recipients.csv"
    content = awards.read_bytes()
    awards.write_bytes(content[:-1])
    recipients.write_bytes(content[-1:] + recipients.read_bytes())
    assert describe_fixture(settings(folder), AWARDS).fingerprint != before.fingerprint


def test_the_fingerprint_does_not_depend_on_where_the_fixture_lies(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name in ("awards.csv", "recipients.csv", "truth.csv"):
        (elsewhere / name).write_bytes((folder / name).read_bytes())
    here, there = (describe_fixture(settings(place), AWARDS) for place in (folder, elsewhere))
    assert here.fingerprint == there.fingerprint
    assert here.awards_path != there.awards_path


def test_the_settings_digest_follows_what_changes_results_and_nothing_else(folder):
    usual = settings_digest(settings(folder))
    assert settings_digest(settings(folder, "benchmark.repeats=9", "gate.max_lost=0")) == usual
    assert settings_digest(settings(folder, "enrichment.performance.chunk_size=7")) == usual
    assert settings_digest(settings(folder, "matching.max_candidates=2")) != usual
    assert settings_digest(settings(folder, "reading.max_record_mib=9")) != usual


def test_profiles_are_in_the_order_of_the_awards(folder):
    profiles = read_profiles(settings(folder))
    assert [profile.award_id for profile in profiles] == [f"A{n}" for n in range(AWARDS)]
    assert profiles[0].phase.value == "I"
    assert profiles[11].company_size.value == "small"


# the latest Run


@pytest.mark.slow
def test_the_latest_run_is_the_last_by_time(folder):
    effective = settings(folder)
    paths = [gate(effective, FakeEngine()).run_path for _ in range(3)]
    (folder / "reports" / "benchmarks" / "zz-notes.json").touch()
    assert [path.name[16:] for path in paths] == [".json", "-2.json", "-3.json"]  # within one second
    assert latest_run_path(folder / "reports") == paths[-1]


def test_without_a_run_there_is_no_latest(tmp_path):
    with pytest.raises(InputError, match="there is no saved Run"):
        latest_run_path(tmp_path)


def test_an_id_of_two_firms_is_a_note_of_the_verdict(folder):
    with (folder / "recipients.csv").open("a") as file:
        file.write("R1,Elsewhere <b>Inc</b>,\n")
    result = gate(settings(folder), FakeEngine())
    assert result.verdict.outcome is Outcome.NO_BASELINE
    (said,) = [text(note) for note in result.verdict.notes if note.rule == "recipient-ids-shared"]
    assert said.startswith("1 recipient_id is on rows of different firms, such as 'R1' ('")
    assert "<b>" not in (folder / "reports" / "report.md").read_text()
