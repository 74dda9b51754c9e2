from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sbir_gate.errors import ConfigurationError, ExitStatus
from sbir_gate.model.finding import Severity
from sbir_gate.model.matches import Method
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Direction
from sbir_gate.settings import load_settings
from sbir_gate.settings.keys import KNOWN_KEYS

BASE_FILE = Path(__file__).parents[3] / "config" / "base.yaml"
CHUNK_SIZE = "enrichment.performance.chunk_size"
RETRY_BASE = "enrichment.performance.retry_base_seconds"
WALL = "gate.metrics.wall_seconds"


def config(tmp_path, text):
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(*assignments, environment=None, file=None, options=None):
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file, environment or {}, options or {}, assignments)
    assert caught.value.exit_status is ExitStatus.WRONG_INPUT
    assert caught.value.hint or all(fault.hint for fault in caught.value.faults)
    return caught.value.message.splitlines()


def test_the_defaults_are_the_documented_ones():
    settings = load_settings(None, {}).settings
    performance = settings.enrichment.performance
    assert (performance.chunk_size, performance.memory_threshold_mb) == (10_000, 2048)
    assert (performance.match_rate_threshold, performance.timeout_seconds) == (0.70, 300)
    assert (performance.retry_backoff, performance.max_retries, performance.workers) == ("exponential", 3, 0)
    assert settings.enricher.command is None
    assert settings.fixtures.awards == Path("fixtures/awards.csv")
    assert settings.matching.methods == (
        Method.UEI_EXACT,
        Method.DUNS_EXACT,
        Method.NAME_EXACT,
        Method.NAME_FUZZY,
        Method.ALIAS,
    )
    assert settings.matching.acceptance_limit is None
    assert settings.gate.metrics["wall_seconds"].direction is Direction.LOWER_IS_BETTER
    assert settings.gate.metrics["wall_seconds"].kind is MetricKind.NOISY
    assert settings.gate.metrics["memory_delta_mib"].absolute_severity is Severity.WARN


@pytest.mark.parametrize(
    ("file", "environment", "assignments", "sizes"),
    [
        ("", "", [], (10_000, 250_000)),
        ("chunk_size: 10000", "", [], (10_000, 10_000)),
        ("chunk_size_max: 50000", "", [], (10_000, 50_000)),
        ("chunk_size_max: 50000\n    chunk_size: 700", "", [], (700, 50_000)),
        ("chunk_size: 700", "", [f"{CHUNK_SIZE}_max=900"], (700, 900)),
        ("chunk_size_max: 50000", "", [f"{CHUNK_SIZE}=700"], (700, 700)),
        ("chunk_size_max: 50000", "700", [], (700, 700)),
        ("", "", [f"{CHUNK_SIZE}_max=900", f"{CHUNK_SIZE}=700"], (700, 900)),
    ],
)
def test_a_size_of_chunks_that_somebody_sets_is_not_outgrown(tmp_path, file, environment, assignments, sizes):
    path = config(tmp_path, f"enrichment:\n  performance:\n    {file}\n") if file else None
    variables = {"SBIR_GATE__ENRICHMENT__PERFORMANCE__CHUNK_SIZE": environment} if environment else {}
    performance = load_settings(path, variables, {}, assignments).settings.enrichment.performance
    assert (performance.chunk_size, performance.chunk_size_max) == sizes


def test_a_size_that_follows_another_has_its_origin():
    effective = load_settings(None, {}, {CHUNK_SIZE: 7})
    assert effective.settings.enrichment.performance.chunk_size_max == 7
    assert effective.origins[f"{CHUNK_SIZE}_max"] == effective.origins[CHUNK_SIZE] == "command line"


def test_the_largest_chunk_is_not_below_the_first():
    (line,) = faults(f"{CHUNK_SIZE}_max=9999")
    assert "must not be below chunk_size, which is 10000" in line


OF_FILE = "fixtures:\n  awards: own.csv\n  draw: draw.json\n"


@pytest.mark.parametrize(
    ("file", "environment", "assignments", "option", "draw"),
    [
        (OF_FILE, {}, [], None, "draw.json"),
        (OF_FILE, {}, [], "other.csv", None),
        (OF_FILE, {}, ["fixtures.awards=other.csv"], None, None),
        (OF_FILE, {"SBIR_GATE__FIXTURES__AWARDS": "other.csv"}, [], None, None),
        (OF_FILE, {}, ["fixtures.recipients=other.csv"], None, "draw.json"),
        (OF_FILE, {}, [], "./own.csv", "draw.json"),
        (OF_FILE, {}, ["fixtures.draw=other.json"], "other.csv", "other.json"),
        ("fixtures:\n  draw: draw.json\n", {}, [], None, "draw.json"),
    ],
)
def test_the_draw_of_a_file_is_not_that_of_other_awards_named_for_this_call(
    tmp_path, file, environment, assignments, option, draw
):
    path = config(tmp_path, file)
    settings = load_settings(path, environment, {"fixtures.awards": option}, assignments).settings
    assert settings.fixtures.draw == (draw and Path(draw))


def test_every_key_is_in_the_base_file_and_knows_its_line():
    origins = load_settings(None, {}).origins
    plain_keys = {key for key in KNOWN_KEYS if "*" not in key}
    assert plain_keys <= origins.keys()
    lines = BASE_FILE.read_text(encoding="utf-8").splitlines()
    for key in plain_keys:
        file, _, number = origins[key].rpartition(":")
        assert file == "config/base.yaml"
        assert lines[int(number) - 1].strip().startswith(f"{key.rpartition('.')[2]}:")


def test_each_layer_wins_over_the_ones_below(tmp_path):
    file = config(
        tmp_path, "benchmark:\n  repeats: 2\n  warm_ups: 2\ngate:\n  max_lost: 2\n  significance: 0.2\n"
    )
    environment = {
        "SBIR_GATE__BENCHMARK__WARM_UPS": "3",
        "SBIR_GATE__GATE__MAX_LOST": "3",
        "SBIR_GATE__GATE__SIGNIFICANCE": "0.3",
    }
    effective = load_settings(
        file, environment, {"gate.significance": 0.5}, ["gate.max_lost=4", "gate.significance=0.4"]
    )
    settings = effective.settings
    assert (settings.benchmark.repeats, settings.benchmark.warm_ups) == (2, 3)
    assert (settings.gate.max_lost, settings.gate.significance) == (4, 0.5)
    assert effective.origins["benchmark.repeats"] == f"{file}:2"
    assert effective.origins["benchmark.warm_ups"] == "SBIR_GATE__BENCHMARK__WARM_UPS"
    assert effective.origins["gate.max_lost"] == "--set"
    assert effective.origins["gate.significance"] == "command line"
    assert effective.origins["gate.name"].startswith("config/base.yaml:")


def test_the_last_assignment_of_a_key_wins():
    assert load_settings(None, {}, {}, ["gate.max_lost=1", "gate.max_lost=2"]).settings.gate.max_lost == 2


def test_a_metric_is_changed_key_by_key_and_a_new_one_is_added_whole():
    settings = load_settings(
        None,
        {},
        {},
        [
            "gate.metrics.wall_seconds.fail_percent=40",
            "gate.metrics.peak_rss_mib.warn_percent=null",
            "gate.metrics.work/bytes_read.unit=bytes",
            "gate.metrics.work/bytes_read.direction=lower",
            "gate.metrics.work/bytes_read.kind=exact",
        ],
    ).settings
    assert settings.gate.metrics["wall_seconds"].fail_percent == 40
    assert settings.gate.metrics["wall_seconds"].warn_percent == 10
    assert settings.gate.metrics["peak_rss_mib"].warn_percent is None
    assert settings.gate.metrics["work/bytes_read"].is_required


def test_settings_are_frozen_all_the_way_down():
    settings = load_settings(None, {}).settings
    with pytest.raises(ValidationError):
        settings.gate.max_lost = 7
    with pytest.raises(TypeError):
        settings.gate.metrics["x"] = settings.gate.metrics["recall"]


def test_a_command_is_split_as_a_shell_would_and_a_list_is_taken_as_it_is():
    text = "enricher.command=python 'my script.py' --awards {awards} # all"
    command = load_settings(None, {}, {}, [text]).settings.enricher.command
    assert command == ("python", "my script.py", "--awards", "{awards}", "#", "all")
    command = load_settings(
        None, {}, {}, ["enricher.command=[run, '{awards}', '5']"]
    ).settings.enricher.command
    assert command == ("run", "{awards}", "5")


def test_all_faults_of_all_layers_are_reported_together(tmp_path):
    file = config(tmp_path, "enrichment:\n  performance:\n    chunk_sise: 5\n    workers: -1\nreports: 3\n")
    assert faults(
        "gate.significance=0",
        "oops",
        file=file,
        environment={"SBIR_GATE__GATE__NAME": "../x"},
        options={"benchmark.repeats": 0},
    ) == [
        "--set: oops: must be KEY=VALUE, as in gate.max_lost=3",
        "--set: gate.significance: must be above 0 (0)",
        f"{file}:3: enrichment.performance.chunk_sise: unknown key; did you mean {CHUNK_SIZE}?",
        f"{file}:4: enrichment.performance.workers: must be at least 0 (-1)",
        f"{file}:5: reports: is not a section: it must contain keys (3)",
        "command line: benchmark.repeats: must be at least 1 (0)",
        "SBIR_GATE__GATE__NAME: gate.name: must be lower-case letters, digits and single hyphens ('../x')",
    ]


@pytest.mark.parametrize(
    ("command", "sign"),
    [
        ("python e.py {awards} > {output}", ">"),
        ("python e.py {awards}>>{output}", ">>"),
        ("cat {awards} | python e.py", "|"),
        ("python a.py; python b.py", ";"),
        ("python e.py 2>&1", ">"),
        ("python e.py || true", "||"),
        ("python e.py &", "&"),
        ("python $HOME/e.py", "$HOME"),
        ("python `which e.py`", "`"),
        ("python $(which e.py)", "$("),
        (["cd", "x", "&&", "python", "e.py"], "&&"),
    ],
)
@pytest.mark.parametrize("key", ["enricher.command", "benchmark.base_setup"])
def test_what_only_a_shell_does_is_refused_with_the_fix(key, command, sign):
    with pytest.raises(ConfigurationError) as caught:
        load_settings(None, {}, {key: command if isinstance(command, str) else tuple(command)})
    (fault,) = caught.value.faults
    assert fault.problem == f"must be one command: it is started without a shell, which {sign} needs"
    assert fault.hint.startswith("write these steps into a script and name it, or quote")


def test_a_variable_before_the_program_is_refused():
    with pytest.raises(ConfigurationError, match="must begin with a program, not with a variable") as caught:
        load_settings(None, {}, {"enricher.command": "A=1 python e.py"})
    assert caught.value.fault.hint == "write: env A=1 ..."


def test_quoted_signs_are_arguments():
    text = "sh -c 'a > b && c' --sep '|' \"x;y\" a\\;b {awards}"
    command = load_settings(None, {}, {"enricher.command": text}).settings.enricher.command
    assert command == ("sh", "-c", "a > b && c", "--sep", "|", "x;y", "a;b", "{awards}")


@pytest.mark.parametrize(
    ("assignment", "allowed"),
    [
        ("enrichment.performance.chunk_size=0", "must be at least 1 (0)"),
        ("enrichment.performance.chunk_size=1.5", "must be a whole number (1.5)"),
        ("enrichment.performance.chunk_size='5'", "must be a whole number ('5')"),
        ("enrichment.performance.chunk_size=true", "must be a whole number (true)"),
        ("enrichment.performance.chunk_size=", "must be a whole number, not null"),
        ("enrichment.performance.chunk_size=[1]", "must be a whole number ([1])"),
        ("enrichment.performance.chunk_size=99999999999999999999", "must be a whole number (1e+20)"),
        ("enrichment.performance.memory_threshold_mb=1", "must be at least 64 (1)"),
        ("enrichment.performance.match_rate_threshold=70", "must be at most 1 (70)"),
        ("enrichment.performance.match_rate_threshold=.nan", "must be a number ('.nan')"),
        ("enrichment.performance.timeout_seconds=0", "must be above 0 (0)"),
        ("enrichment.performance.timeout_seconds=1e999", "must be a finite number (inf)"),
        ("enrichment.performance.timeout_seconds=1e9", "must be at most 604,800 (1000000000.0)"),
        (
            "enrichment.performance.retry_backoff=linear",
            "must be one of exponential, constant, none ('linear')",
        ),
        (
            "enrichment.performance.retry_cap_seconds=0.1",
            f"must not be below retry_base_seconds, which is 0.5 in BASE:{RETRY_BASE} (0.1)",
        ),
        ("enrichment.work_folder=5", "must be a path (put a number in quotes) (5)"),
        ("enricher.command=run 'x", 'must be a command line (No closing quotation) ("run \'x")'),
        ("enricher.command=''", "must name a program, or be null for the built-in engine ('')"),
        ("enricher.command=[]", "must name a program, or be null for the built-in engine ([])"),
        ("enricher.command=[run, 5]", "must be text (put a number in quotes) (5)"),
        ("enricher.command=5", "must be a list (5)"),
        ("enricher.pass_environment=[A, A]", "must not name anything twice (['A', 'A'])"),
        ("enricher.pass_environment=HOME", "must be a list ('HOME')"),
        ("fixtures.awards=''", "must not be empty: name a path ('')"),
        ("fixtures.awards=null", "must be a path (put a number in quotes), not null"),
        ("reading.max_reject_percent=101", "must be at most 100 (101)"),
        ("matching.methods=[]", "must name at least one ([])"),
        ("matching.methods=uei-exact", "must be a list ('uei-exact')"),
        (
            "matching.methods=[uei-exact, uei-exact]",
            "must not name anything twice (['uei-exact', 'uei-exact'])",
        ),
        (
            "matching.methods=[none]",
            "must be one of uei-exact, duns-exact, name-exact, name-fuzzy, alias ('none')",
        ),
        ("matching.methods=[5]", "must be one of uei-exact, duns-exact, name-exact, name-fuzzy, alias (5)"),
        ("matching.max_candidates=6", "must be at most 5 (6)"),
        ("matching.min_precision=1", "must be below 1 (1)"),
        (
            "matching.max_training_labels=10",
            "must not be below min_training_labels, which is 500 in BASE:matching.min_training_labels (10)",
        ),
        ("gate.max_lost=-1", "must be at least 0 (-1)"),
        ("gate.metrics.recall.direction=up", "must be one of lower, higher ('up')"),
        (
            "gate.metrics.recall.kind=[exact]",
            "must be one of exact, noisy, once (['exact']); did you mean exact?",
        ),
        ("gate.metrics.recall.absolute_severity=ok", "must be one of fail, warn ('ok')"),
        ("gate.metrics.recall.is_required=yes", "must be true or false ('yes')"),
        ("gate.metrics.recall.warn_percent=-1", "must be at least 0 (-1)"),
        ("gate.metrics.recall.unit=5", "must be text (put a number in quotes) (5)"),
        ("gate.metrics.match_rate.minimum=0.5", "is set by enrichment.performance.match_rate_threshold"),
        (
            "orchestration.schedule=daily",
            "must be five fields of cron: minute, hour, day, month, weekday, as in 0 6 * * 1 ('daily')",
        ),
        ("orchestration.progress_seconds=0.5", "must be at least 1 (0.5)"),
        ("gate.metrics={}", "is not a section: it must contain keys ('{}')"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_and_what_is_allowed(assignment, allowed):
    for key, origin in load_settings(None, {}).origins.items():
        allowed = allowed.replace(f" BASE:{key} ", f" {origin} ")
    assert faults(assignment) == [f"--set: {assignment.partition('=')[0]}: {allowed}"]


@pytest.mark.parametrize(
    ("assignment", "near"),
    [
        ("gate.max_lots=3", "gate.max_lost"),
        ("matching.methods=[uei-exat]", "uei-exact"),
        ("enrichment.performance.retry_backoff=exponental", "exponential"),
        ("gate.metrics.recall.direction=hgiher", "higher"),
    ],
)
def test_a_near_miss_of_a_key_or_value_is_suggested(assignment, near):
    (line,) = faults(assignment)
    assert line.endswith(f"; did you mean {near}?")


def test_a_fault_carries_its_place_and_value_as_fields(tmp_path):
    file = config(tmp_path, "gate:\n  max_lost: -1\n")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file, {})
    fault = caught.value.fault
    assert (fault.path, fault.line, fault.column, fault.value) == (str(file), 2, "gate.max_lost", -1)


def test_a_warning_above_the_failure_is_refused_and_names_both_places(tmp_path):
    (line,) = faults(file=config(tmp_path, "gate:\n  metrics:\n    wall_seconds:\n      warn_percent: 30\n"))
    assert line.startswith("config/base.yaml:")
    assert "gate.metrics.wall_seconds.fail_percent: must not be below warn_percent, which is 30" in line
    assert line.endswith(f" in {tmp_path / 'c.yaml'}:4 (25)")


def test_a_minimum_above_the_maximum_is_refused():
    (line,) = faults("gate.metrics.calibration_error.minimum=0.5")
    assert "gate.metrics.calibration_error.maximum: must not be below minimum, which is 0.5 in --set" in line


def test_a_metric_that_is_misspelt_is_told_from_a_new_one():
    assert faults("gate.metrics.wall_second.fail_percent=3") == [
        f"--set: {WALL[:-1]}: lacks unit, direction, kind; did you mean {WALL}?"
    ]
    assert faults("gate.metrics.queue_length.unit=rows") == [
        "--set: gate.metrics.queue_length: lacks direction, kind"
    ]


def test_a_metric_name_that_cannot_be_shown_is_refused():
    (line,) = faults(
        *(f"gate.metrics.Bad Name.{pair}" for pair in ("unit=s", "direction=lower", "kind=exact"))
    )
    assert line.startswith("--set: gate.metrics.Bad Name: the name must be a metric, as recall")


def test_a_misspelled_section_is_one_fault_in_its_own_line(tmp_path):
    file = config(tmp_path, "gate:\n  max_lost: x\n\nfixturs:\n  awards: a.csv\n  truth: null\nbenchmrk:\n")
    assert faults(file=file) == [
        f"{file}:2: gate.max_lost: must be a whole number ('x')",
        f"{file}:4: fixturs: unknown key; did you mean fixtures?",
        f"{file}:7: benchmrk: unknown key; did you mean benchmark?",
    ]


def test_broken_yaml_is_named_by_line_and_column_with_what_to_look_for(tmp_path):
    file = config(tmp_path, "gate:\n  max_lost: [1\nx: 2\n")
    (line,) = faults(file=file)
    assert line.startswith(f"{file}:3: not valid YAML: while parsing a flow sequence expected")
    assert line.endswith("(column 2); check indentation, colons, brackets and quotes there and just above")


def test_a_broken_file_does_not_hide_the_faults_of_other_layers(tmp_path):
    lines = faults("gate.max_lost=x", file=config(tmp_path, "a: ["))
    assert len(lines) == 2
    assert "not valid YAML" in lines[0]
    assert lines[1] == "--set: gate.max_lost: must be a whole number ('x')"


def test_a_flood_of_faults_is_cut(tmp_path):
    text = "".join(f"k{number}: 1\n" for number in range(2000))
    lines = faults(file=config(tmp_path, text))
    assert len(lines) == 51
    assert lines[-1] == "... and 1,950 more"


def test_long_and_hostile_values_stay_on_one_short_line():
    lines = faults("gate.name=" + "x\n\x1b[31m" * 1000, "a\nb=1")
    assert len(lines) == 2
    assert all(len(line) < 250 and line.isprintable() for line in lines)


def test_secrets_in_other_variables_are_not_read():
    lines = faults(
        "gate.max_lost=x", environment={"GITHUB_TOKEN": "very-secret", "SBIR_GATE_TOKEN": "very-secret"}
    )
    assert "very-secret" not in "\n".join(lines)


@given(st.sampled_from(KNOWN_KEYS), st.text(max_size=40))
def test_any_value_of_any_key_is_taken_or_refused_in_words(key, text):
    assignment = f"{key.replace('*', 'recall')}={text}"
    try:
        load_settings(None, {}, {}, [assignment])
    except ConfigurationError as error:
        assert error.message.isprintable()  # noqa: PT017 -- both ends are right; neither may be a traceback
