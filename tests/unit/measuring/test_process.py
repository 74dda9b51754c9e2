import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sbir_gate.errors import EnricherError
from sbir_gate.measuring.process import (
    EnricherCrash,
    ProcessRequest,
    ProcessResult,
    plain_tail,
    raise_on_failure,
    run_process,
)

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


@pytest.fixture
def run(tmp_path):
    def start(script, timeout_seconds=30.0, environment=None):
        environment = {"PATH": os.defpath} if environment is None else environment
        arguments = (sys.executable, "-c", script, str(tmp_path))
        return run_process(ProcessRequest(arguments, environment, tmp_path, timeout_seconds))

    return start


def pids_in(folder):
    return [int(path.name) for path in folder.glob("[0-9]*")]


def is_running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_command_that_ends_well(run, tmp_path):
    result = run("import os, sys; open('out', 'w').write(os.getcwd()); print('fine', file=sys.stderr)")
    assert (result.exit_status, result.is_timed_out, result.log_tail) == (0, False, "fine")
    assert result.wall_seconds > 0
    assert result.cpu_seconds > 0
    assert (tmp_path / "out").read_text() == str(tmp_path)


def test_only_the_given_environment_is_seen(run):
    result = run("import os; print(sorted(set(os.environ) - {'LC_CTYPE'}))", environment={"TZ": "UTC"})
    assert result.log_tail == "['TZ']"


def test_the_peak_is_the_command_s_own_even_if_the_caller_is_big(run):
    ballast = bytearray(300 * 2**20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    assert run("pass").peak_rss_mib < 100


@on_linux
def test_a_spike_of_the_command_is_seen_in_full(run):
    spike = "b = bytearray(150 * 2**20); b[::4096] = b'x' * len(b[::4096]); del b"
    assert run(spike).peak_rss_mib > 150


@on_linux
def test_processes_of_the_tree_count_together(run):
    script = """
import os, time
children = []
for _ in range(2):
    child = os.fork()
    if child == 0:
        b = bytearray(80 * 2**20); b[::4096] = b'x' * len(b[::4096]); time.sleep(0.6); os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""
    assert run(script).peak_rss_mib > 160


def test_processor_time_of_children_counts(run):
    script = """
import os, time
child = os.fork()
if child == 0:
    while time.process_time() < 0.3: pass
    os._exit(0)
os.waitpid(child, 0)
"""
    assert run(script).cpu_seconds > 0.29


def test_an_exit_status_a_signal_and_the_last_words_are_told(run):
    result = run("import sys; sys.exit('first\\n\\x1b[31mlast\\x1b[0m\\x07 words')")
    assert (result.exit_status, result.log_tail) == (1, "first | last words")
    with pytest.raises(EnricherCrash, match=r"exit status 1: first \| last words") as caught:
        raise_on_failure(result, 30)
    assert (caught.value.exit_code, caught.value.stderr_tail) == (1, "first | last words")
    with pytest.raises(EnricherCrash, match="signal SIGKILL and said nothing") as caught:
        raise_on_failure(run("import os; os.kill(os.getpid(), 9)"), 30)
    assert caught.value.exit_code == -9


def test_a_command_that_cannot_be_started_is_named(tmp_path):
    with pytest.raises(
        EnricherError, match=r"cannot be started: No such file or directory: .*no-such-program"
    ):
        run_process(ProcessRequest(("no-such-program",), {"PATH": "/bin"}, tmp_path, 5.0))
    with pytest.raises(EnricherError, match=r"cannot be started: .*absent"):
        run_process(ProcessRequest(("true",), {"PATH": "/bin"}, tmp_path / "absent", 5.0))


STUBBORN_TREE = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
if os.fork() == 0:
    os.setsid()
open(os.path.join(sys.argv[1], str(os.getpid())), 'w')
time.sleep(60)
"""


@on_linux
def test_a_tree_that_ignores_the_polite_signal_and_leaves_its_group_ends_with_the_time(run, tmp_path):
    result = run(STUBBORN_TREE, timeout_seconds=0.7)
    assert result.is_timed_out
    assert len(pids_in(tmp_path)) == 4
    assert not any(is_running(pid) for pid in pids_in(tmp_path))
    with pytest.raises(EnricherError, match=r"timed out after 0\.7 s"):
        raise_on_failure(result, 0.7)


def test_a_command_that_heeds_the_polite_signal_can_clean_up(run, tmp_path):
    script = """
import signal, sys, time
def leave(*_):
    open('cleaned', 'w'); sys.exit(0)
signal.signal(signal.SIGTERM, leave)
time.sleep(60)
"""
    result = run(script, timeout_seconds=0.7)
    assert result.is_timed_out
    assert (tmp_path / "cleaned").exists()


@on_linux
def test_a_daemon_that_is_left_behind_is_ended(run, tmp_path):
    script = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(os.path.join(sys.argv[1], str(os.getpid())), 'w')
        time.sleep(60)
    os._exit(0)
while not os.listdir(sys.argv[1]): time.sleep(0.01)
"""
    result = run(script)
    assert (result.exit_status, result.is_timed_out) == (0, False)
    assert len(pids_in(tmp_path)) == 1
    assert not any(is_running(pid) for pid in pids_in(tmp_path))


def test_a_flood_of_messages_fills_no_disk_and_keeps_its_end(run):
    script = """
import sys, os
for _ in range(60): sys.stdout.write('x' * 2**20)
sys.stdout.flush()
os.write(2, b'\\nthe end\\n')
"""
    result = run(script)
    assert result.exit_status == 0
    assert result.log_tail.endswith("the end")
    assert len(result.log_tail) <= 2000


@on_linux
def test_a_killed_caller_leaves_no_tree_behind(tmp_path):
    caller = """
import sys
from pathlib import Path
from sbir_gate.measuring.process import ProcessRequest, run_process
folder = Path(sys.argv[1])
run_process(ProcessRequest((sys.executable, "-c", sys.argv[2], str(folder)), {}, folder, 60.0))
"""
    script = "import os, sys, time; open(os.path.join(sys.argv[1], str(os.getpid())), 'w'); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", caller, str(tmp_path), script]) as process:
        wait_until(lambda: pids_in(tmp_path))
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_running(pids_in(tmp_path)[0]))


def wait_until(is_true):
    deadline = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_good_end_raises_nothing():
    raise_on_failure(ProcessResult(0, False, 1.0, 1.0, 10.0), 5)


def test_the_tail_is_one_short_line_without_control_characters():
    tail = plain_tail("\n".join(f"line {number}\t\x00\x9b\u202e" for number in range(50)))
    assert tail.startswith("line 38 | ")
    assert tail.endswith("line 49")
    assert tail.isprintable()
    assert len(plain_tail("x" * 5000)) == 2000


def test_the_launcher_needs_the_standard_library_alone():
    launcher = Path(__file__).parents[3] / "sbir_gate" / "measuring" / "launcher.py"
    code = f"import runpy; runpy.run_path({str(launcher)!r}, run_name='launcher')"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


@pytest.mark.skipif(not Path("/proc/pressure/cpu").exists(), reason="this kernel does not record waiting")
def test_waiting_for_a_processor_is_reported(run):
    assert run("pass").cpu_wait_seconds >= 0
