import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sbir_gate.errors import ConfigurationError, EnricherError
from sbir_gate.gate.measuring.benchmark import BenchmarkPlan, find_disagreements, run_benchmark
from sbir_gate.gate.measuring.output import OutputFaults
from sbir_gate.gate.measuring.process import ProcessResult, run_process
from sbir_gate.model.matches import Decision, DecisionKind
from sbir_gate.model.samples import Calibration
from sbir_gate.progress import PROGRESS_VARIABLE

HEADER = "award_id,recipient_id,match_method,match_score\n"
GOOD = HEADER + "A1,R1,uei-exact,100\nA2,,none,0\n"


class FakeLaunch:
    """Plays one script entry per process: the output text (None: no file), metrics, and how it ended."""

    def __init__(self, *outputs, metrics=None, ends=None):
        self.outputs = list(outputs)
        self.metrics = metrics or {}
        self.ends = ends or ProcessResult(0, False, 2.0, 1.5, 100.0)
        self.requests = []
        self.folders_were_empty = []

    def __call__(self, request):
        output, metrics = Path(request.arguments[3]), Path(request.arguments[4])
        self.folders_were_empty.append(not any(output.parent.iterdir()))
        text = self.outputs[min(len(self.requests), len(self.outputs) - 1)]
        self.requests.append(request)
        if text is not None:
            output.write_text(text)
        metrics.write_text(json.dumps(self.metrics))
        return self.ends


class Journal:
    """Notes in which order calibration and progress happen."""

    def __init__(self):
        self.events = []

    def calibrate(self):
        self.events.append("calibrate")
        return Calibration(0.04 + len(self.events) / 1000, 0.03 + len(self.events) / 1000)

    def progress(self, number, of):
        self.events.append(f"{number}/{of}")


@pytest.fixture
def plan(tmp_path):
    return BenchmarkPlan(
        command="run {awards} {recipients} {output} {metrics}",
        awards_path=tmp_path / "awards.csv",
        recipients_path=tmp_path / "recipients.csv",
        award_ids=("A1", "A2"),
        scratch_folder=tmp_path,
        working_folder=tmp_path,
        environment={"PATH": os.defpath, "GITHUB_TOKEN": "secret", "JAVA_HOME": "/java"},
        repeats=2,
    )


def benchmark(plan, launch):
    journal = Journal()
    return run_benchmark(plan, launch, journal.calibrate, journal.progress), journal


def test_warm_ups_are_not_counted_and_calibration_stands_around_every_repeat(plan):
    launch = FakeLaunch(GOOD)
    result, journal = benchmark(plan, launch)
    assert len(launch.requests) == 3
    assert len(result.samples) == 2
    assert journal.events == ["0/2", "1/2", "calibrate", "2/2", "calibrate", "calibrate"]
    assert len(result.calibrations) == 3
    assert [Calibration(s.calibration_seconds, s.calibration_cpu_seconds) for s in result.samples] == list(
        result.calibrations[:2]
    )


def test_every_run_has_a_new_empty_folder_that_is_gone_afterwards(plan, tmp_path):
    launch = FakeLaunch(GOOD)
    benchmark(plan, launch)
    assert launch.folders_were_empty == [True, True, True]
    assert len({request.arguments[3] for request in launch.requests}) == 3
    assert list(tmp_path.iterdir()) == []


def test_the_output_of_an_earlier_run_is_never_taken(plan):
    with pytest.raises(EnricherError, match=r"^{output}: the enricher wrote no output"):
        benchmark(plan, FakeLaunch(GOOD, GOOD, None))


def test_the_environment_is_scrubbed(plan):
    launch = FakeLaunch(GOOD)
    benchmark(replace(plan, pass_environment=("JAVA_HOME",)), launch)
    seen = {name: launch.requests[0].environment[name] for name in ("PATH", "JAVA_HOME")}
    assert seen == {"PATH": os.defpath, "JAVA_HOME": "/java"}
    assert launch.requests[0].environment.keys() - seen == {
        *("TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME"),
        PROGRESS_VARIABLE,
    }


def test_no_run_finds_what_another_left_in_its_folders(plan, tmp_path):
    script = tmp_path / "enrich.py"
    script.write_text(
        "import os, pathlib, sys, tempfile\n"
        "places = [tempfile.gettempdir(), os.environ['XDG_CACHE_HOME'], os.environ['HOME']]\n"
        "found = [name for place in places for name in os.listdir(place)]\n"
        "for place in places: pathlib.Path(place, 'kept').write_text('all answers')\n"
        "print(found, *places)\n"
        f"open(sys.argv[3], 'w').write({GOOD!r})\n"
        "sys.exit(f'found {found}' if found else 0)\n"
    )
    command = f"{sys.executable} {script} {{awards}} {{recipients}} {{output}}"
    home = tmp_path / "home"
    home.mkdir()
    logs = tmp_path / "logs" / "head"
    private = replace(
        plan, command=command, environment={"HOME": str(home)}, has_private_home=True, logs=logs
    )
    benchmark(private, run_process)
    assert not any(home.iterdir())
    told = [log.read_text().split() for log in sorted(logs.parent.iterdir())]
    assert [log.name for log in sorted(logs.parent.iterdir())] == ["head-1.log", "head-2.log", "head-3.log"]
    places = [place for words in told for place in words[1:]]
    assert len(set(places)) == 9
    assert not any(Path(place).exists() for place in places)
    # the home folder is the user's where nobody asks for another
    with pytest.raises(EnricherError, match=r"found .'kept'.") as caught:
        benchmark(replace(private, has_private_home=False), run_process)
    assert caught.value.hint == f"{logs}-2.log has all its messages"
    assert [path.name for path in home.iterdir()] == ["kept"]


def test_a_variable_that_is_passed_on_purpose_stays_what_it_is(plan):
    launch = FakeLaunch(GOOD)
    environment = {"XDG_CACHE_HOME": "/models", "TMPDIR": "/shared"}
    benchmark(replace(plan, environment=environment, pass_environment=("XDG_CACHE_HOME",)), launch)
    assert launch.requests[0].environment["XDG_CACHE_HOME"] == "/models"
    assert launch.requests[0].environment["TMPDIR"] != "/shared"


def test_a_repeat_that_decides_differently_is_named(plan):
    other = GOOD.replace("A2,,none,0", "A2,R2,name-fuzzy,91")
    result, _ = benchmark(plan, FakeLaunch(GOOD, GOOD, other))
    assert result.disagreements == ("A2",)
    assert result.decisions[1].kind is DecisionKind.NONE
    assert len({sample.output_digest for sample in result.samples}) == 2


def test_lost_and_doubled_rows_are_told(plan):
    result, _ = benchmark(plan, FakeLaunch(HEADER + "A1,R1,x,1\nA1,R1,x,1\nB9,R1,x,1\n"))
    assert result.faults == OutputFaults(missing=("A2",), doubled=("A1",), unknown=("B9",))


def test_what_the_enricher_tells_is_in_the_samples(plan):
    metrics = {
        "stages": [{"name": "score", "wall_seconds": 1, "cpu_seconds": 1, "peak_rss_mib": 150}],
        "counters": {"pairs": 7},
        "notes": {"model": "v1"},
        "start_rss_mib": 40,
    }
    result, _ = benchmark(plan, FakeLaunch(GOOD, metrics=metrics))
    sample = result.samples[0]
    assert sample.counters == {"pairs": 7}
    assert sample.stages[0].name == "score"
    assert (sample.peak_rss_mib, sample.memory_delta_mib) == (150.0, 110.0)
    assert result.notes == {"model": "v1"}


def test_without_telling_the_memory_delta_is_not_known(plan):
    result, _ = benchmark(plan, FakeLaunch(GOOD))
    assert result.samples[0].memory_delta_mib is None
    assert result.samples[0].peak_rss_mib == 100.0


def test_a_crash_keeps_its_exit_status(plan):
    with pytest.raises(EnricherError) as caught:
        benchmark(plan, FakeLaunch(GOOD, ends=ProcessResult(2, False, 1.0, 1.0, 1.0, ("bad file",))))
    assert (caught.value.status, caught.value.log_tail) == (2, ("bad file",))


def test_messages_name_placeholders_in_place_of_files_that_the_user_never_sees(plan):
    own = replace(plan, recipients_path=Path("/data/recipients.csv"), working_folder=Path("/work"))

    def launch(request):
        _, awards, recipients, output, _ = request.arguments
        return ProcessResult(2, False, 1.0, 1.0, 1.0, (f"{awards} and {recipients}", f"to {output}"))

    with pytest.raises(EnricherError) as caught:
        benchmark(own, launch)
    assert caught.value.log_tail == ("{awards} and /data/recipients.csv", "to {output}")


def test_a_time_out_is_no_result_even_with_output(plan):
    with pytest.raises(EnricherError, match="timed out after 300 s"):
        benchmark(plan, FakeLaunch(GOOD, ends=ProcessResult(0, True, 300.0, 1.0, 1.0)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repeats": 0}, "benchmark.repeats is 0"),
        ({"warmups": -1}, "benchmark.warmups is -1"),
        ({"timeout_seconds": 0.0}, "timeout_seconds is 0"),
        ({"timeout_seconds": float("nan")}, "timeout_seconds is nan"),
        ({"command": "run"}, "{awards} is missing"),
        ({"pass_environment": ("GITHUB_TOKEN",)}, "GITHUB_TOKEN"),
    ],
)
def test_a_plan_that_cannot_be_run_is_refused_before_anything_starts(plan, changes, message):
    launch = FakeLaunch(GOOD)
    with pytest.raises(ConfigurationError) as caught:
        benchmark(replace(plan, **changes), launch)
    assert message in caught.value.message
    assert launch.requests == []


def test_row_order_is_no_disagreement_but_number_is():
    first = Decision("A1", DecisionKind.LINK, "x", "R1", 1.0)
    second = replace(first, award_id="A2")
    assert find_disagreements([(first, second), (second, first)]) == ()
    assert find_disagreements([(first, second), (first, second, second)]) == ("A2",)
    assert find_disagreements([(first, second), (first,)]) == ("A2",)
    assert find_disagreements([(first,), (first, second)]) == ("A2",)
    assert find_disagreements([(first,)]) == ()


def test_a_real_enricher_in_real_processes_from_a_path_with_blanks(plan, tmp_path):
    folder = tmp_path / 'it\'s a "folder" {output}'
    folder.mkdir()
    awards, recipients = folder / "awards.csv", folder / "recipients.csv"
    awards.write_text("A1\nA2\n")
    recipients.write_text("R1\n")
    script = tmp_path / "enrich.py"
    script.write_text(
        "import json, pathlib, sys\n"
        "awards, recipients, output, metrics = map(pathlib.Path, sys.argv[1:])\n"
        "rows = [f'{award},R1,uei-exact,100' for award in awards.read_text().split()]\n"
        f"output.write_text({HEADER!r} + '\\n'.join(rows) + '\\n')\n"
        "metrics.write_text(json.dumps({'counters': {'rows': len(rows)}}))\n"
    )
    real = replace(
        plan,
        command="{python} " + str(script) + " {awards} {recipients} {output} {metrics}",
        awards_path=awards,
        recipients_path=recipients,
        scratch_folder=folder,
        timeout_seconds=30.0,
    )
    result, _ = benchmark(real, run_process)
    assert [decision.award_id for decision in result.decisions] == ["A1", "A2"]
    assert result.disagreements == ()
    assert all(s.wall_seconds > 0 and s.peak_rss_mib > 1 for s in result.samples)
    assert result.samples[0].counters == {"rows": 2}


def test_a_real_enricher_that_answers_at_random_is_caught(plan, tmp_path):
    script = tmp_path / "enrich.py"
    script.write_text(
        "import os, sys\n"
        f"open(sys.argv[3], 'w').write({HEADER!r} + f'A1,R{{os.getpid()}},x,1\\nA2,,none,0\\n')\n"
    )
    command = f"{sys.executable} {script} {{awards}} {{recipients}} {{output}}"
    result, _ = benchmark(replace(plan, command=command), run_process)
    assert result.disagreements == ("A1",)
