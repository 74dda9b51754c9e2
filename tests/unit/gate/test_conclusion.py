import os

import pytest

from sbir_gate.documents import load_run, load_verdict
from sbir_gate.errors import OutputError, SbirGateError, ToolError
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.conclusion import conclude
from sbir_gate.gate.policy import Judgement, Rules
from sbir_gate.gate.run import run_gate
from sbir_gate.model.companions import Companions
from sbir_gate.model.verdict import Outcome
from sbir_gate.settings.effective import load_settings
from tests.factories import make_policy, make_run
from tests.fakes import FakeEngine, fake_edges, write_fixture
from tests.findings import notes, reasons
from tests.tiers import first_fast

JUDGEMENT = Judgement(Rules(make_policy(), (), None))


@pytest.fixture
def reports(tmp_path):
    return tmp_path / "reports"


@pytest.fixture
def effective(tmp_path, reports):
    write_fixture(tmp_path)
    options = {
        "fixtures.awards": str(tmp_path / "awards.csv"),
        "fixtures.recipients": str(tmp_path / "recipients.csv"),
        "fixtures.truth": str(tmp_path / "truth.csv"),
        "gate.baselines_folder": str(tmp_path / "baselines"),
        "reports.folder": str(reports),
        "benchmark.repeats": 1,
    }
    return load_settings(None, {}, options)


def sound():
    return judge(make_run(), None, make_policy())


def saved(reports):
    return [load_run(path) for path in sorted((reports / "benchmarks").iterdir())]


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (OverflowError("too large"), ToolError),
        (OSError(40, "Too many levels of symbolic links"), ToolError),
        (OutputError("no room"), OutputError),
    ],
)
def test_whatever_breaks_while_judging_leaves_run_verdict_and_report(effective, reports, fault, raised):
    def broken():
        raise fault

    with pytest.raises(raised) as error:
        conclude(
            make_run(),
            broken,
            effective,
            fake_edges(FakeEngine()),
            JUDGEMENT,
            Companions(make_run(enricher="base")),
        )
    assert {run.enricher for run in saved(reports)} == {"base", make_run().enricher}
    verdict = load_verdict(reports / "verdict.json")
    assert verdict.outcome is Outcome.ERROR
    assert str(fault) in reasons(verdict)[0] or "Too many levels" in reasons(verdict)[0]
    assert "sbir-gate report" in " ".join(notes(verdict))
    assert "sbir-gate report" in " ".join(error.value.__notes__)
    assert "error" in (reports / "report.md").read_text()


def test_a_report_that_cannot_be_written_leaves_the_run(effective, reports):
    (reports / "report.md").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"report\.md"):
        conclude(make_run(), sound, effective, fake_edges(FakeEngine()), JUDGEMENT)
    assert saved(reports) == [make_run()]
    assert load_verdict(reports / "verdict.json").outcome is Outcome.ERROR


def test_a_run_that_cannot_be_saved_is_an_error_with_a_name(effective, reports):
    reports.mkdir()
    (reports / "benchmarks").write_text("no folder")
    with pytest.raises(OutputError, match="benchmarks"):
        conclude(make_run(), sound, effective, fake_edges(FakeEngine()), JUDGEMENT)
    assert load_verdict(reports / "verdict.json").outcome is Outcome.ERROR


def looping(folder):
    (folder / "loop.json").symlink_to("loop.json")


def dangling(folder):
    (folder / "gone.json").symlink_to("nowhere")


def pipe(folder):
    os.mkfifo(folder / "pipe.json")


def device(folder):
    (folder / "zero.json").symlink_to("/dev/zero")


def undecodable(folder):
    (folder / os.fsdecode(b"caf\xe9.json")).write_text("{}")


def folder_named_like_an_entry(folder):
    (folder / "entry.json").mkdir()


@pytest.mark.parametrize(
    "damage", first_fast([looping, dangling, pipe, device, undecodable, folder_named_like_an_entry], 2)
)
def test_what_lies_in_the_history_folder_never_costs_a_measurement(effective, reports, damage):
    (reports / "history").mkdir(parents=True)
    damage(reports / "history")
    result = run_gate(effective, fake_edges(FakeEngine()), lambda _words: None)
    assert result.verdict.outcome is Outcome.NO_BASELINE
    assert len(saved(reports)) == 1
    assert any("skipped 1 of the files of the history" in words for words in result.warnings)


def test_an_index_of_the_history_that_is_no_file_costs_nothing(effective, reports):
    (reports / "history").mkdir(parents=True)
    os.mkfifo(reports / "history" / ".index.sqlite3")
    run_gate(effective, fake_edges(FakeEngine()), lambda _words: None)
    result = run_gate(effective, fake_edges(FakeEngine()), lambda _words: None)
    assert result.verdict.outcome is Outcome.NO_BASELINE
    assert not result.warnings


def test_a_history_that_is_no_folder_is_a_warning(effective, reports):
    reports.mkdir()
    (reports / "history").write_text("no folder")
    result = run_gate(effective, fake_edges(FakeEngine()), lambda _words: None)
    assert result.verdict.outcome is Outcome.NO_BASELINE
    assert any("the history cannot be listed" in words for words in result.warnings)


def test_an_older_verdict_never_stays_for_a_run_that_broke(effective, reports):
    run_gate(effective, fake_edges(FakeEngine()), lambda _words: None)
    with pytest.raises(SbirGateError):
        conclude(make_run(), lambda: 1 / 0, effective, fake_edges(FakeEngine()), JUDGEMENT)
    assert load_verdict(reports / "verdict.json").outcome is Outcome.ERROR
