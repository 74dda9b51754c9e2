"""The program as its users meet it: help, wrong usage, saved documents, pipes, Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sbir_gate.cli.application import VERBS, application

COMMANDS = [
    *(verb for verb in VERBS if verb not in {"baseline", "history", "data", "config", "fixture"}),
    "baseline show",
    "baseline promote",
    "baseline verify",
    "history list",
    "history query",
    "history trend",
    "history import",
    "data fetch",
    "data profile",
    "data synthesise",
    "config show",
    "fixture status",
    "fixture refresh",
]
HEAVY = (
    "pandas",
    "duckdb",
    "numpy",
    "plotly",
    "dagster",
    "dask",
    "distributed",
    "github",
    "pydantic",
    "jinja2",
    "requests",
    "remotezip",
    "ruptures",
)
SGR = re.compile(r"\x1b\[[0-9;]*m")


def only_run(stage):
    return min((stage.folder / "reports" / "benchmarks").glob("*.json"))


def loaded_by(stage, arguments):
    """Return which heavy packages a call loads."""
    code = (
        f"import sys; sys.argv = ['sbir-gate', *{arguments!r}]\n"
        "from sbir_gate.cli import main\n"
        "try:\n    main()\n"
        "finally:\n"
        f"    sys.stderr.write(' '.join(name for name in {HEAVY!r} if name in sys.modules))\n"
    )
    return loaded(stage, code).split()


def loaded(stage, code):
    """Return what a Python of its own writes to its standard error."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=stage.folder,
        env=stage.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


# help and wrong usage


def test_the_help_of_a_verb_loads_no_part_of_its_work(stage):
    # one after the other: the first line that lists any names who loads too much
    code = (
        "import sys\n"
        "from sbir_gate.cli.application import Interruption, exit_status\n"
        f"for command in {COMMANDS!r}:\n"
        "    exit_status(Interruption(), [*command.split(), '--help'], 'sbir-gate')\n"
        f"    loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "    sys.stderr.write(f'{command}: {loaded}\\n')\n"
    )
    assert loaded(stage, code).splitlines() == [f"{command}: []" for command in COMMANDS]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_verb_has_an_example_that_its_options_allow(stage, command):
    done = stage.gate(*command.split(), "--help")
    assert done.returncode == 0
    examples = re.findall(rf"^ +(sbir-gate {command}\b.*)$", done.stdout, flags=re.MULTILINE)
    assert examples
    known = set(re.findall(r"--[a-z-]+", done.stdout.partition("Example")[0]))
    assert {option for line in examples for option in re.findall(r" (--[a-z-]+)", line)} <= known


@pytest.mark.parametrize(
    "command",
    [
        "diff baselines/enrichment.json baselines/enrichment.json",
        "report baselines/enrichment.json",
        "baseline verify",
        "history list",
        "publish",
        "data profile missing",
        "doctor --set benchmark.repeats=5",
        "action enforce",
        "config show",
    ],
)
@pytest.mark.slow
def test_each_verb_does_the_same_as_a_program_of_its_own(stage, command):
    """Nearly all other tests run the gate in their own process; `run`, `data synthesise` made the stage."""
    program, here = stage.program(*command.split()), stage.gate(*command.split())
    assert (program.returncode, program.stdout, program.stderr) == (here.returncode, here.stdout, here.stderr)
    assert "Traceback" not in program.stderr
    assert program.stdout + program.stderr


def test_the_help_lists_every_verb_with_the_line_that_the_verb_gives_itself(stage):
    text = " ".join(stage.gate("--help").stdout.split())
    for verb, (_, line) in VERBS.items():
        assert f"{verb} {line}" in text
        assert application.get_command(None, verb) is not None


def test_help_and_version_load_nothing_heavy(stage):
    assert loaded_by(stage, ["--help"]) == []
    assert loaded_by(stage, ["--version"]) == []


def test_a_verb_loads_only_what_it_needs(stage):
    assert loaded_by(stage, ["config", "show"]) == ["pydantic"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["frobnicate"], "No such command 'frobnicate'; see 'sbir-gate --help'"),
        (["run", "--qqqq"], "see 'sbir-gate run --help'"),
        (["run", "surplus"], "surplus"),
        (["run", "--repeats", "0"], "--repeats"),
        (["run", "--format", "pdf"], "'pdf'"),
        (["run", "--set", "gate.max_lots=3"], "did you mean gate.max_lost?"),
        (["run", "--set", "gate.max_lost"], "must be KEY=VALUE"),
        (["run", "--config", "missing.yaml"], "missing.yaml: no such file"),
        (["enrich", "--awards", "a.csv", "--recipients", "b.csv"], "--output"),
        (["diff", "missing.json", "missing.json"], "missing.json: no such file"),
        (["report", "fixtures/truth.csv"], "fixtures/truth.csv: not JSON"),
        (["config", "show", "--config", ""], "Invalid value for '--config': the path is empty: name a file"),
        (["report", "fixtures/truth.csv", "--output", ""], "Invalid value for '--output': the path is empty"),
        (["baseline", "promote", "missing.json"], "missing.json: no such file"),
        (["data", "synthesise", "--output", "x", "--awards", "-1"], "-1"),
        (["history", "query"], "--metric"),
        (["history", "list", "--since", "last week"], "'last week' is neither a date nor a span; write"),
        (["history", "query", "--metric", "wall_secnds"], "did you mean wall_seconds?"),
        (["history", "trend", "--metric", "match_rate", "--gate", "other"], "no Run that was asked for"),
        (["history", "import", "fixtures/truth.csv"], "fixtures/truth.csv: not JSON"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_status_2(stage, arguments, words):
    done = stage.gate(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


@pytest.mark.parametrize("arguments", [[], ["baseline"], ["history"], ["config"], ["data"]])
def test_a_missing_verb_shows_the_help_and_is_wrong_usage(stage, arguments):
    done = stage.gate(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


def test_debug_shows_where_an_error_comes_from(stage):
    plain = stage.gate("diff", "missing.json", "missing.json")
    debug = stage.gate("--debug", "diff", "missing.json", "missing.json")
    assert "Traceback" not in plain.stderr
    assert "Traceback" in debug.stderr
    assert debug.stderr.endswith(plain.stderr)
    assert debug.returncode == plain.returncode == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_made_for_each_shell(stage, shell):
    done = stage.gate(_SBIR_GATE_COMPLETE=f"{shell}_source")
    assert done.returncode == 0
    assert "sbir-gate" in done.stdout
    if shutil.which(shell):
        checked = subprocess.run(
            [shell, "-n"], input=done.stdout, text=True, capture_output=True, check=False
        )
        assert (checked.returncode, checked.stderr) == (0, "")


def test_completion_knows_verbs_and_options(stage):
    verbs = stage.gate(_SBIR_GATE_COMPLETE="bash_complete", COMP_WORDS="sbir-gate ", COMP_CWORD="1")
    assert [line.split(",")[1] for line in verbs.stdout.split()] == list(VERBS)
    options = stage.gate(_SBIR_GATE_COMPLETE="bash_complete", COMP_WORDS="sbir-gate diff --f", COMP_CWORD="2")
    assert {"plain,--format", "plain,--fail-on"} >= set(options.stdout.split()) != set()


# settings


def test_what_config_show_prints_can_be_read_again_and_says_the_same(stage):
    arguments = ["config", "show", "--set", "gate.max_lost=3", "--set", "matching.acceptance_limit=0.5"]
    first = stage.gate(*arguments).stdout
    (stage.folder / "reports" / "mine.yaml").write_text(first, encoding="utf-8")
    second = stage.gate("config", "show", "--config", "reports/mine.yaml").stdout
    assert "max_lost: 3  # --set" in first
    assert "SBIR_GATE__BENCHMARK__REPEATS" in first

    def values(text):
        return [line.partition("  #")[0] for line in text.splitlines()]

    assert values(first) == values(second)


def test_config_show_as_json_names_each_value_and_its_origin(stage):
    shown = json.loads(stage.gate("config", "show", "--format", "json").stdout)
    assert shown["gate.max_lost"]["origin"].startswith("config/base.yaml:")
    assert shown["benchmark.repeats"] == {"value": 1, "origin": "SBIR_GATE__BENCHMARK__REPEATS"}


# saved documents


@pytest.mark.slow
def test_the_report_of_a_run_is_made_again_from_its_documents(stage):
    ran = stage.gate("run", "--format", "markdown", "--quiet")
    written = (stage.folder / "reports" / "report.md").read_text(encoding="utf-8")
    saved = max(
        (stage.folder / "reports" / "benchmarks").glob("*.json"), key=lambda path: path.stat().st_mtime
    )
    with_verdict = stage.gate("report", saved, "--verdict", "reports/verdict.json")
    judged_again = stage.gate("report", saved, "--output", "reports/again.md")
    assert all(line.startswith(("alert", "and ")) for line in ran.stderr.splitlines())
    assert ran.stdout == written == with_verdict.stdout
    assert (stage.folder / "reports" / "again.md").read_text(encoding="utf-8") == written
    assert (judged_again.stdout, judged_again.returncode) == ("", 0)
    diff = stage.gate("diff", "baselines/enrichment.json", saved, "--format", "markdown")
    assert diff.stdout == written
    assert diff.returncode == ran.returncode


@pytest.mark.slow
def test_a_verdict_on_another_run_is_not_reported_for_this_one(stage):
    def later(run):
        run["started_at"] = "2030-01-01T00:00:00Z"

    stage.gate("run", "--quiet")
    done = stage.gate("report", edited(stage, "later", later), "--verdict", "reports/verdict.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the verdict belongs to another Run" in done.stderr


@pytest.mark.parametrize(("arguments", "status"), [([], 0), (["--fail-on", "inconclusive"], 4)])
def test_inconclusive_has_a_status_of_its_own_where_it_is_asked_for(stage, arguments, status):
    def timed(*factors):
        def change(run):
            (wall,) = (metric for metric in run["metrics"] if metric["name"] == "wall_seconds")
            wall["values"] = [factor * wall["values"][0] for factor in factors]

        return change

    # beyond the limit, and so noisy that it may be no change at all
    base = edited(stage, "base", timed(0.6, 1.3, 0.8, 1.4, 1.0))
    noisy = edited(stage, "noisy", timed(0.9, 3.2, 1.1, 3.4, 2.0))
    done = stage.gate("diff", base, noisy, *arguments)
    assert done.stdout.splitlines()[-1].startswith("INCONCLUSIVE: enrichment · Wall time may be up to ")
    assert "+100%" in done.stdout
    assert done.returncode == status


@pytest.mark.parametrize("format_", ["console", "markdown", "json"])
def test_a_diff_is_printed_in_each_format_the_same_each_time(stage, format_):
    run = only_run(stage)
    first, second = (stage.gate("diff", run, run, "--format", format_) for _ in range(2))
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == second.stdout
    if format_ == "json":
        assert json.loads(first.stdout)
    elif format_ == "console":
        assert first.stdout.splitlines()[-1].startswith("PASS: ")  # a terminal shows its end
    else:
        assert first.stdout.startswith("### ✅ sbir-gate: pass")


@pytest.mark.parametrize(
    ("format_", "begins"),
    [("markdown", "### "), ("json", "{"), ("html", "<!doctype html>"), ("junit", "<?xml"), ("console", "")],
)
def test_what_broke_is_reported_in_the_format_that_was_asked_for(stage, tmp_path, format_, begins):
    def run(*arguments):
        # the history of the stage is that of its sound Runs
        kept = {"SBIR_GATE__HISTORY__FOLDER": str(tmp_path)}
        return stage.gate("run", "--quick", "--format", format_, *arguments, **kept)

    stage.forget_verdict()
    done = run("--enricher", "false {awards} {recipients} {output}")
    assert done.returncode == 3
    assert done.stdout.lower().startswith(begins)
    assert ("ended with exit status 1" in done.stdout) == bool(begins)
    assert stage.verdict().call.overrides["benchmark.is_timed"] == "false"
    refused = run("--set", "fixtures.awards=none.csv")
    assert refused.returncode == 2
    assert ("none.csv" in refused.stdout) == bool(begins)
    # a slip on the command line leaves no verdict: that of an earlier run is not reported for it
    assert run("--set", "gate.max_lots=1").stdout == ""


def test_the_baseline_is_shown_and_verified(stage):
    shown = stage.gate("baseline", "show")
    assert "1,000 awards" in shown.stdout
    assert "match_rate" in shown.stdout
    assert ": valid, " in stage.gate("baseline", "verify").stdout


def test_a_missing_baseline_is_not_shown_nor_verified_and_the_cure_is_named(stage):
    for verb in ("show", "verify"):
        done = stage.gate("baseline", verb, "--set", "gate.baselines_folder=reports/nowhere")
        assert done.returncode == 2
        assert "no baseline yet; create one: sbir-gate run" in done.stderr


def test_a_baseline_of_other_fixtures_is_not_verified(stage):
    done = stage.gate("baseline", "verify", "--set", "fixtures.truth=null")
    assert done.returncode == 2
    assert "measured on different fixtures" in done.stderr


def test_without_a_saved_run_there_is_nothing_to_promote(stage):
    done = stage.gate("baseline", "promote", "--set", "reports.folder=reports/nowhere")
    assert done.returncode == 2
    assert "there is no saved Run" in done.stderr


# history


def test_a_run_is_in_the_history_and_can_be_asked_for(stage):
    listed = json.loads(stage.gate("history", "list", "--limit", "0", "--format", "json").stdout)
    assert {row["gate"] for row in listed} == {"enrichment"}
    asked = json.loads(stage.gate("history", "query", "--metric", "match_rate", "--format", "json").stdout)
    assert len(asked) == len(listed)
    assert all(0.5 < point["value"] <= 1 for point in asked)
    shown = stage.gate("history", "trend", "--metric", "match_rate")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("match_rate\n")


def test_saved_runs_are_imported_and_damaged_ones_named_on_standard_error(stage):
    saved = stage.folder / "reports" / "saved"
    saved.mkdir()
    shutil.copy(only_run(stage), saved / "whole.json")
    (saved / "cut.json").write_text("{")
    folder = ["--set", "history.folder=reports/imported"]
    done = stage.gate("history", "import", "reports/saved", *folder)
    assert (done.returncode, done.stdout) == (
        0,
        "reports/imported: Runs imported: 1; already present: 0\n",
    )
    assert done.stderr.startswith(
        "warning: skipped 1 of the files to import: reports/saved/cut.json: not JSON"
    )
    shutil.copy(saved / "cut.json", stage.folder / "reports" / "imported")
    asked = stage.gate("history", "list", *folder, "--format", "csv")
    assert asked.stdout.count("\n") == 2
    assert asked.stderr.startswith("warning: skipped 1 of the files of the history: cut.json: not JSON")


def test_a_run_that_follows_a_slow_decline_is_promoted_only_by_force(stage):
    def older(run):
        run["started_at"] = (datetime.now(UTC) - timedelta(days=9)).isoformat()
        run["source"] |= {"branch": "main", "commit": "0" * 40}

    def worse(run):
        run["started_at"] = datetime.now(UTC).isoformat()
        (rate,) = (metric for metric in run["metrics"] if metric["name"] == "recall")
        rate["values"] = [0.95 * value for value in rate["values"]]

    settings = ["--set", "history.folder=reports/decline", "--set", "gate.baselines_folder=reports/declined"]
    assert stage.gate("history", "import", edited(stage, "older", older), *settings).returncode == 0
    path = edited(stage, "worse", worse)
    refused = stage.gate("baseline", "promote", path, *settings)
    assert refused.returncode == 2
    assert "would make a slow decline the baseline: drift: Recall fell 5" in refused.stderr
    assert not (stage.folder / "reports" / "declined").exists()
    reported = stage.gate("report", path, *settings)
    assert "- drift: Recall fell 5" in reported.stdout
    assert stage.gate("baseline", "promote", path, "--force", *settings).returncode == 0


def edited(stage, name, change):
    """Return a saved Run that was changed by hand."""
    document = json.loads(only_run(stage).read_text(encoding="utf-8"))
    change(document["run"])
    path = stage.folder / "reports" / f"{name}.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def promoted(stage, name, *arguments, change):
    """Promote a Run that was changed by hand to a baselines folder of its own."""
    path = edited(stage, name, change)
    folder = f"reports/{name}"
    done = stage.gate("baseline", "promote", path, *arguments, "--set", f"gate.baselines_folder={folder}")
    return done, stage.folder / folder / "enrichment.json"


def test_a_run_of_uncommitted_code_is_promoted_only_by_force(stage):
    def dirty(run):
        run["source"]["is_dirty"] = True

    refused, path = promoted(stage, "dirty", change=dirty)
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert not path.exists()
    forced, path = promoted(stage, "dirty", "--force", change=dirty)
    assert forced.returncode == 0
    assert path.exists()


def test_a_damaged_baseline_is_named_and_replaced_only_by_force(stage):
    path = stage.folder / "reports" / "damaged" / "enrichment.json"
    path.parent.mkdir(parents=True)
    path.write_text("{", encoding="utf-8")
    command = ["baseline", "promote", only_run(stage), "--set", "gate.baselines_folder=reports/damaged"]
    refused = stage.gate(*command)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: reports/damaged/enrichment.json: not JSON")
    assert "replace it with 'sbir-gate baseline promote --force'" in refused.stderr
    assert path.read_text(encoding="utf-8") == "{"
    assert stage.gate(*command, "--force").returncode == 0
    assert json.loads(path.read_text(encoding="utf-8"))["run"]["gate"] == "enrichment"


def test_a_run_that_is_wrong_is_not_promoted_even_by_force(stage):
    def halved(run):
        for name in ("award_id", "firm", "recipient", "kind", "score", "confidence", "candidate_ids"):
            del run["awards"][name][500:]

    refused, path = promoted(stage, "halved", "--force", change=halved)
    assert refused.returncode == 2
    assert "awards of the fixture without a decision: 500" in refused.stderr
    assert not path.exists()


# what is printed, and where


def on_a_terminal(stage, *arguments, **changes):
    """Return what `sbir-gate` writes to a terminal as standard output."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [".venv/bin/sbir-gate", *map(str, arguments)],
        cwd=stage.folder,
        env=stage.environment | {"TERM": "xterm", **changes},
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:  # Linux says so when the other side is closed
                break
            if not block:
                break
            shown += block
    os.close(ours)
    return shown.decode("utf-8"), process.returncode


@pytest.mark.slow
def test_colours_are_for_terminals_and_no_color_switches_them_off(stage):
    run = only_run(stage)
    coloured, _ = on_a_terminal(stage, "diff", run, run)
    plain, _ = on_a_terminal(stage, "diff", run, run, NO_COLOR="1")
    assert SGR.search(coloured)
    assert not SGR.search(plain)
    assert SGR.sub("", coloured) == plain
    assert not SGR.search(stage.gate("diff", run, run).stdout)


@pytest.mark.slow
def test_an_error_has_no_colour_where_none_is_wanted(stage):
    coloured, _ = on_a_terminal(stage, "diff", "missing.json", "missing.json")
    plain, status = on_a_terminal(stage, "diff", "missing.json", "missing.json", NO_COLOR="1")
    assert status == 2
    assert SGR.search(coloured)
    assert not SGR.search(plain)


@pytest.mark.slow
def test_quiet_leaves_only_the_result(stage):
    run = ["enrich", "--awards", "fixtures/awards.csv", "--recipients", "fixtures/recipients.csv"]
    loud = stage.gate(*run, "--output", "reports/loud.csv")
    quiet = stage.gate(*run, "--output", "reports/quiet.csv", "-q")
    assert "matching" in loud.stderr
    assert "1,000 awards" in loud.stdout
    assert (quiet.stdout, quiet.returncode) == ("", 0)
    # a warning stays
    assert quiet.stderr.startswith("warning: awards: DUNS: 1 value is ")
    assert quiet.stderr.count("\n") == 1
    assert (stage.folder / "reports" / "loud.csv").read_bytes() == (
        stage.folder / "reports" / "quiet.csv"
    ).read_bytes()


@pytest.mark.parametrize(
    ("command", "status"),
    [
        pytest.param("run --quiet --baselines reports/nowhere", 0, marks=pytest.mark.slow),
        pytest.param(
            "run --baselines reports/nowhere --set enrichment.performance.match_rate_threshold=0.99",
            1,
            marks=pytest.mark.slow,
        ),
        ("config show", 0),
    ],
)
def test_a_reader_that_closes_the_pipe_does_not_change_the_exit_status(stage, command, status):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        # standard error too: the progress must not stop the work
        process = stage.start(*command.split(), stdout=writer, stderr=writer)
    finally:
        os.close(writer)
    assert process.wait(60) == status


@pytest.mark.slow
def test_a_terminal_that_cannot_show_a_character_does_not_change_the_exit_status(stage):
    done = stage.program("report", only_run(stage), PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert r"\u2705" in done.stdout


# files that may not be written


@pytest.fixture
def own_folder(stage):
    """A folder with a settings file, a list of waivers, and a pipe."""
    folder = stage.folder / "own"
    folder.mkdir()
    (folder / "gate.yaml").write_text("gate: {waivers_file: own/waivers.yaml}\n")
    (folder / "waivers.yaml").write_text("waivers: []\n")
    os.mkfifo(folder / "pipe.csv")
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--output", "nowhere/linked.csv"], "the folder nowhere does not exist"),
        (["--output", "reports"], "reports: cannot be written: a folder"),
        (["--output", "linked.xlsx"], "cannot tell the kind of file"),
        (["--output", "fixtures/recipients.csv"], "would be written over, but is an input"),
        (["--output", "reports/x.csv", "--rejects", "fixtures/awards.csv"], "but is an input"),
        (["--output", "reports/x.csv", "--metrics", "reports/x.csv"], "is named for two outputs"),
        (["--output", "reports/x.csv", "--metrics", "nowhere/m.json"], "the folder nowhere does not exist"),
        (["--output", "reports/x.csv", "--rejects", "nowhere/r.csv"], "the folder nowhere does not exist"),
        (
            ["--output", "reports/x.csv", "--metrics", "own/gate.yaml", "--config", "own/gate.yaml"],
            "but is an input",
        ),
        (["--output", "own/pipe.csv"], "own/pipe.csv: cannot be written: a pipe, not a regular file"),
        (["--output", "reports/x.csv", "--metrics", "own/pipe.csv"], "a pipe, not a regular file"),
    ],
)
@pytest.mark.usefixtures("own_folder")
def test_an_output_that_cannot_or_must_not_be_written_is_refused_before_any_work(stage, arguments, words):
    before = {path.name: path.read_bytes() for path in (stage.folder / "fixtures").iterdir()}
    run = ["enrich", "--awards", "fixtures/awards.csv", "--recipients", "fixtures/recipients.csv"]
    done = stage.gate(*run, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "matching" not in done.stderr
    assert not (stage.folder / "reports" / "x.csv").exists()
    assert not (stage.folder / "nowhere").exists()
    assert (stage.folder / "own" / "gate.yaml").read_text().startswith("gate:")
    assert before == {path.name: path.read_bytes() for path in (stage.folder / "fixtures").iterdir()}


@pytest.mark.parametrize("name", ["run.json", "verdict.json", "gate.yaml", "waivers.yaml", "pipe.csv"])
def test_a_report_replaces_nothing_that_it_is_made_of_and_no_pipe(stage, own_folder, name):
    (own_folder / "run.json").write_bytes(only_run(stage).read_bytes())
    (own_folder / "verdict.json").write_bytes((stage.folder / "reports" / "verdict.json").read_bytes())
    before = contents(own_folder)
    verdict = ["--verdict", "own/verdict.json"] if name == "verdict.json" else []
    asked = ["report", "own/run.json", "--config", "own/gate.yaml", *verdict, "--output", f"own/{name}"]
    done = stage.gate(*asked)
    words = "a pipe, not a regular file" if name == "pipe.csv" else "would be written over, but is an input"
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: own/{name}: ")
    assert words in done.stderr
    assert contents(own_folder) == before


def contents(folder):
    """Return what each file of a folder holds; a pipe holds nothing."""
    return {path.name: path.is_file() and path.read_bytes() for path in folder.iterdir()}


def test_a_folder_that_refuses_writing_is_named(stage):
    done = stage.gate(
        "enrich",
        *("--awards", "fixtures/awards.csv", "--recipients", "fixtures/recipients.csv"),
        *("--output", "/proc/linked.csv", "--quiet"),
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: /proc/linked.csv.parts: the finished chunks cannot be kept")


# Ctrl-C

ENRICH = (
    "enrich --awards fixtures/awards.csv --recipients fixtures/recipients.csv --output reports/stopped.csv"
)
HANG = "{python} tests/end_to_end/sabotaged_enricher.py --hang {awards} {recipients} {output} {metrics}"


def started(stage, arguments, word, **changes):
    """Start `sbir-gate`, settings changed by variables, and return it once it has said a word."""
    changed = replace(stage, environment=stage.environment | changes)
    process = changed.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = ""
    while word not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    return process


@pytest.mark.parametrize(
    ("arguments", "word", "number"),
    [
        (["run", "--enricher", HANG], "repeat 1", signal.SIGINT),
        (ENRICH.split(), "matching", signal.SIGINT),
        *[
            pytest.param(arguments, word, number, marks=pytest.mark.slow)
            for number in (signal.SIGINT, signal.SIGTERM)
            for arguments, word in (
                (["run"], "reading the fixtures"),
                (["run"], "repeat 1"),
                (["run", "--enricher", HANG], "warming up"),
                (ENRICH.split(), "awards"),
                (ENRICH.split(), "recipients"),
            )
        ],
    ],
)
@pytest.mark.slow
def test_an_interrupted_program_says_so_and_leaves_nothing_behind(stage, arguments, word, number):
    (stage.folder / "reports" / "stopped.csv").unlink(missing_ok=True)
    process = started(stage, arguments, word, SBIR_GATE__BENCHMARK__WARM_UPS=str(int(word == "warming up")))
    time.sleep(0.05)  # into the midst of what it announced
    os.killpg(process.pid, number)
    shown, said = process.communicate(timeout=120)
    assert process.returncode == 128 + number, said
    last = said.strip().splitlines()[-1]
    kept = list((stage.folder / "reports").glob("*stopped*"))
    assert last.endswith("interrupted") or (kept and "finished chunks are kept in" in last)
    assert "Traceback" not in said
    assert shown == ""
    assert stage.leftovers() == []
    # a chunk that was finished is kept for the same command to go on from, and nothing else
    assert [path.name for path in kept] in ([], ["stopped.csv.parts"])
    for folder in kept:
        shutil.rmtree(folder)
    if arguments[0] == "run":
        assert not (stage.folder / "reports" / "verdict.json").exists()
