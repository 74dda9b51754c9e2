"""`sbir-gate doctor` as it is typed: its lines, its JSON and its exit statuses."""

import json

GATE = """\
gate:
  max_lost: many
  metrics:
    recall: {minimum: 0}
    wall_seconds: {warn_percent: 30}
enricher:
  command: no-such-program {awards} {recipients} {output}
"""


def doctor(stage, *arguments, text=None):
    if text is not None:
        (stage.folder / "doctor.yaml").write_text(text)
        arguments = ("--config", "doctor.yaml", *arguments)
    return stage.gate("doctor", "--set", "benchmark.repeats=5", *arguments)


def test_the_set_up_of_a_clone_has_no_errors(stage):
    done = doctor(stage)
    assert (done.returncode, done.stderr) == (0, "")
    assert "error:" not in done.stdout


def test_warnings_fail_only_if_strict(stage):
    arguments = ("--set", "fixtures.truth=null")
    assert doctor(stage, *arguments, "--set", "gate.baselines_folder=reports/none").returncode == 0
    done = doctor(stage, *arguments, "--set", "gate.baselines_folder=reports/none", "--strict")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("errors: 0, warnings: ")


def test_every_fault_is_one_line_with_its_place_and_the_first_hides_none(stage):
    done = doctor(stage, text=GATE)
    assert done.returncode == 1
    for words in (
        "error: doctor.yaml:2: gate.max_lost: must be a whole number ('many')",
        "must not be below warn_percent, which is 30",
        "error: doctor.yaml:4: gate.metrics.recall.minimum: 0 has no effect",
        "error: doctor.yaml:7: enricher.command: there is no program 'no-such-program'",
    ):
        assert words in done.stdout
    assert "Traceback" not in done.stderr


def test_json_is_one_object(stage):
    done = doctor(stage, "--format", "json", text=GATE)
    document = json.loads(done.stdout)
    assert document["errors"] >= 4
    assert {"gravity", "id", "place", "problem", "cure", "facts"} == set(document["diagnoses"][0])


def test_wrong_usage_is_status_2(stage):
    assert doctor(stage, "--format", "xml").returncode == 2
