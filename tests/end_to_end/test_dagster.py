"""The gate and the engine through Dagster, as a user calls them."""

import pytest

from sbir_gate.model.verdict import Outcome

pytestmark = pytest.mark.slow


def test_the_job_writes_what_the_engine_writes(stage):
    files = ("--awards", "fixtures/awards.csv", "--recipients", "fixtures/recipients.csv")
    alone = stage.gate("enrich", *files, "--output", "alone.parquet")
    through = stage.gate(
        *("enrich", "--through", "dagster", *files),
        *("--output", "through.parquet", "--metrics", "metrics.json", "--rejects", "rejects.csv"),
    )
    assert (alone.returncode, through.returncode) == (0, 0), alone.stderr + through.stderr
    assert (stage.folder / "through.parquet").read_bytes() == (stage.folder / "alone.parquet").read_bytes()
    assert (stage.folder / "metrics.json").is_file()
    assert (stage.folder / "rejects.csv").is_file()
    assert stage.leftovers() == []


def test_what_the_job_refuses_is_written_and_told(stage):
    finished = stage.gate(
        *("enrich", "--through", "dagster", "--quiet", "--awards", "fixtures/awards.csv"),
        *("--recipients", "fixtures/recipients.csv", "--output", "refused.parquet"),
        *("--set", "enrichment.performance.match_rate_threshold=0.99"),
    )
    assert finished.returncode == 0
    assert "the job rejected its own result: match_rate_threshold" in finished.stderr
    assert (stage.folder / "refused.parquet").is_file()


def test_a_truth_of_other_awards_is_not_held_against_these(stage):
    header, *rows = (
        line.split(",") for line in (stage.folder / "fixtures/truth.csv").read_text().splitlines()
    )
    # each award with what is right for the one before
    wrong = [header, *([row[0], *before[1:]] for row, before in zip(rows, [rows[-1], *rows], strict=False))]
    (stage.folder / "wrong.csv").write_text("".join(",".join(row) + "\n" for row in wrong))
    (stage.folder / "others.csv").write_bytes((stage.folder / "fixtures/awards.csv").read_bytes())
    files = ("--recipients", "fixtures/recipients.csv", "--output", "others.parquet")
    options = ("--quiet", "--set", "fixtures.truth=wrong.csv", *files)
    command = ("enrich", "--through", "dagster", *options, "--awards")
    assert "Precision" in stage.gate(*command, "fixtures/awards.csv").stderr
    assert stage.gate(*command, "others.csv").stderr == ""


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--recipients", "nowhere.csv", "--output", "o.parquet"), 2, "nowhere.csv"),
        (("--recipients", "/dev/null", "--output", "o.parquet"), 2, "/dev/null: cannot be read (a device"),
        (("--recipients", "fixtures/recipients.csv", "--output", "o.csv"), 2, "writes Parquet alone"),
        (("--recipients", "fixtures/recipients.csv", "--output", "no/o.parquet"), 2, "does not exist"),
    ],
)
def test_wrong_input_is_told_in_the_words_of_the_engine(stage, options, status, words):
    finished = stage.gate("enrich", "--through", "dagster", "-q", "--awards", "fixtures/awards.csv", *options)
    assert finished.returncode == status
    assert words in finished.stderr
    assert "Traceback" not in finished.stderr
    assert stage.leftovers() == []


def test_what_holds_up_the_enrichment_is_told_as_wrong_input(stage):
    (stage.folder / "bad.csv").write_text("Company\nAcme\ntoo,many\n")
    files = ("--awards", "bad.csv", "--recipients", "fixtures/recipients.csv", "--output", "o.parquet")
    finished = stage.gate("enrich", "--through", "dagster", "-q", *files)
    assert finished.returncode == 2
    assert finished.stderr.startswith("error: pass_rate: 1 of 2 rows could be read")
    assert "bad.csv:3: " in finished.stderr
    assert stage.leftovers() == []


def test_the_gate_measures_the_job_as_a_gate_of_its_own(stage):
    finished = stage.gate("run", "--through", "dagster", "--repeats", 1, "--set", "benchmark.warm_ups=0")
    assert finished.returncode == 0, finished.stderr
    verdict = stage.verdict()
    assert (verdict.gate, verdict.outcome) == ("enrichment-dagster", Outcome.NO_BASELINE)
    assert stage.leftovers() == []


def test_another_enricher_has_no_job(stage):
    finished = stage.gate("run", "--through", "dagster", "--enricher", "x {awards} {recipients} {output}")
    assert finished.returncode == 2
    assert "another enricher is set" in finished.stderr
