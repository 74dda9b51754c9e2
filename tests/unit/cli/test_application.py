import signal

import click
import pytest

from sbir_gate.cli.application import Interruption, application, exit_status

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def signals():
    """Give back what the tests take over."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, action in before.items():
        signal.signal(number, action)


def test_without_a_signal_nothing_has_come():
    interruption = Interruption()
    interruption.watch()
    assert not interruption.has_come


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_work_and_is_remembered_whatever_becomes_of_the_error(number, status):
    interruption = Interruption()
    interruption.watch()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert interruption.has_come
    assert interruption.exit_status == status


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_is_ignored_stays_ignored(number):
    signal.signal(number, signal.SIG_IGN)
    interruption = Interruption()
    interruption.watch()
    signal.raise_signal(number)
    assert not interruption.has_come


@pytest.mark.parametrize(("typed", "meant"), [("rnu", "run"), ("enrch", "enrich"), ("publsh", "publish")])
def test_a_misspelled_command_is_answered_with_the_one_that_is_near(typed, meant):
    with pytest.raises(click.UsageError) as caught:
        application.main([typed], standalone_mode=False)
    assert f"Did you mean '{meant}'" in caught.value.format_message().replace("one of: ", "")


def test_a_command_that_is_like_none_gets_no_suggestion():
    with pytest.raises(click.UsageError) as caught:
        application.main(["qqqq"], standalone_mode=False)
    assert "Did you mean" not in caught.value.format_message()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["rnu"], "error: No such command 'rnu'; did you mean run?"),
        (["baseline", "promot"], "error: No such command 'promot'; did you mean promote?"),
        (["run", "--polcy-from", "x"], "error: No such option '--polcy-from'; did you mean --policy-from?"),
        (
            ["run", "--fail-on", "inconclusiv"],
            "error: --fail-on: must be one of fail, inconclusive ('inconclusiv'); did you mean inconclusive?",
        ),
        (
            ["report", "run.json", "--format", "mardown"],
            (
                "error: --format: must be one of console, markdown, json, html, junit ('mardown');"
                " did you mean markdown?"
            ),
        ),
        (
            ["data", "fetch", "award"],
            "error: must be one of awards, recipients ('award'); did you mean awards?",
        ),
        (
            ["config", "show", "--config", "gaet.yaml"],
            "error: gaet.yaml: no such file; did you mean gate.yaml?",
        ),
        (
            ["config", "show", "--set", "gate.max_lots=3"],
            "error: --set: gate.max_lots: unknown key; did you mean gate.max_lost?",
        ),
        (
            ["report", "baselins/enrichment.json"],
            "error: baselins/enrichment.json: no such file; did you mean baselines?",
        ),
        (["help", "metrcs"], "error: no help topic 'metrcs'; did you mean metrics?"),
    ],
)
def test_a_near_miss_of_whatever_is_typed_is_suggested_in_one_line(
    arguments, told, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gate.yaml").touch()
    (tmp_path / "baselines").mkdir()
    assert exit_status(Interruption(), arguments) == 2
    assert capsys.readouterr().err == f"{told}\n"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["run", "--truth", ""], "--truth: must not be empty: name a path ('')\n"),
        (["run", "--enricher", "a && b"], "the engine's command: must be one command: it is started without"),
        (
            ["check-engine", ""],
            "the engine's command: must name a program, or be null for the built-in",
        ),
        (
            ["enrich", "--awards", "a.csv", "--recipients", "r.csv", "--output", "o.csv", "--cluster", "x"],
            "--cluster: must be local:N for N workers here, or the address",
        ),
        (
            ["run", "--set", "gate.max_lost=x", "--repeats", "1"],
            "--set: gate.max_lost: must be a whole number ('x'); 'sbir-gate config show' lists every key\n",
        ),
        (
            ["label", "--compare", "a.csv", "b.csv"],
            "a.csv: the truth cannot be read: No such file or",
        ),
        (
            ["label", "--compare", "a.csv"],
            "Option '--compare' requires 2 arguments; see 'sbir-gate label --help'\n",
        ),
        (
            ["data", "fetch", "--url"],
            "Option '--url' requires an argument; see 'sbir-gate data fetch --help'\n",
        ),
        (
            ["enrich", "--awards", "a.csv", "--recipients", "r.csv", "--output", "-"],
            "Invalid value for '--output': cannot be standard output: name a file; see",
        ),
        (
            ["data", "synthesise", "--awards", "0", "--output", "x"],
            "Invalid value for '--awards': 0 is not in the range 1<=x<=9999999; see",
        ),
        (
            ["data", "synthesise", "--sample", "--world", "hard", "--output", "x"],
            "--world hard sets a share of identifiers, and --sample deals every",
        ),
    ],
)
def test_an_error_names_what_the_user_gave(tmp_path, arguments, error, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert exit_status(Interruption(), arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {error}")
    assert "fixtures." not in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["history", "import", "x" * 5000],
        ["data", "profile", "x" * 5000],
        ["baseline", "promote", "--set", f"reports.folder={'x' * 5000}"],
        ["doctor", "--set", f"reports.folder={'x' * 5000}"],
    ],
)
def test_a_path_that_no_file_system_has_is_one_line(tmp_path, arguments, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sbir-gate.yaml").write_text("{}")
    assert exit_status(Interruption(), arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "xx" in line
    assert "(File name too long); check the path" in line


@pytest.mark.parametrize("group", ["action", "baseline", "config", "data", "fixture", "history"])
def test_the_help_of_a_group_has_whole_sentences(group, capsys):
    assert exit_status(Interruption(), [group, "--help"]) == 0
    assert "..." not in capsys.readouterr().out.partition("Commands:")[2]


@pytest.mark.parametrize(("verb", "has_base"), [("run", True), ("diff", False), ("report", False)])
def test_the_help_names_options_that_the_command_has(verb, has_base, capsys):
    exit_status(Interruption(), [verb, "--help"])
    assert ("--base," in capsys.readouterr().out) is has_base


def test_each_of_several_mistakes_is_an_error_with_its_fix(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gate.yaml").write_text("gate:\n  max_lost: x\nfixturs:\n  awards: a.csv\n")
    assert exit_status(Interruption(), ["config", "show", "--config", "gate.yaml"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        (
            "error: gate.yaml:2: gate.max_lost: must be a whole number ('x');"
            " 'sbir-gate config show' lists every key"
        ),
        "error: gate.yaml:3: fixturs: unknown key; did you mean fixtures?",
    ]
