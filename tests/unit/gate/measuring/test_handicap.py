import os
import signal
import subprocess
import sys
import time

from sbir_gate.gate.measuring import handicap
from sbir_gate.gate.measuring.process import ProcessRequest, run_process

PYTHON = (sys.executable, "-I", "-S")


def handicapped(*command, share="0.0", mib="0.0"):
    return [*PYTHON, handicap.__file__, share, mib, *command]


def ended(*command):
    return subprocess.run(handicapped(*command), capture_output=True, text=True, check=False)


def test_it_ends_as_the_command_does():
    assert ended("sh", "-c", "exit 3").returncode == 3
    assert ended("sh", "-c", "kill -KILL $$").returncode == -signal.SIGKILL


def test_a_command_that_cannot_be_started_is_named():
    done = ended("no-such-program")
    assert done.returncode == 127
    assert done.stderr == "no-such-program: cannot be started (No such file or directory)\n"


def test_the_command_has_the_arguments_environment_and_folder_of_the_caller(tmp_path):
    script = 'printf "%s|" "$PWD" "$KEY" "$@"'
    done = subprocess.run(
        handicapped("sh", "-c", script, "sh", "a b", "{x}"),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "KEY": "value"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{tmp_path}|value|a b|{{x}}|"


def test_it_lasts_longer_by_the_share_and_grows_to_the_memory(tmp_path):
    sleep = (*PYTHON, "-c", "import time; time.sleep(0.1)")
    request = ProcessRequest(
        tuple(handicapped(*sleep, share="1.0", mib="80.0")), dict(os.environ), tmp_path, 60.0
    )
    started = time.perf_counter()
    result = run_process(request)
    assert 0.2 <= result.wall_seconds <= time.perf_counter() - started
    assert result.cpu_seconds >= 0.05  # it is busy, not asleep, at least for a part on a loaded machine
    assert 80 <= result.peak_rss_mib < 120
