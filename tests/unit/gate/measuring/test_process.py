import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from sbir_gate.errors import EnricherError, EnricherLimitError, ToolError
from sbir_gate.gate.measuring.process import (
    ProcessRequest,
    ProcessResult,
    plain_tail,
    raise_on_failure,
    run_process,
)

REQUEST = ProcessRequest(("engine", "--fast"), {}, Path.cwd(), 30.0)

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
    assert (result.exit_status, result.is_timed_out, result.log_tail) == (0, False, ("fine",))
    assert result.wall_seconds > 0
    assert result.cpu_seconds > 0
    assert (tmp_path / "out").read_text() == str(tmp_path)


def test_what_it_prints_is_kept_as_it_is(run, tmp_path):
    result = run("import os; print(os.getcwd() + '/enrich.py:3: broken')")
    assert result.log_tail == (f"{tmp_path}/enrich.py:3: broken",)


def test_paths_within_its_folder_are_relative_in_its_error(tmp_path):
    request = ProcessRequest(("enrich",), {}, tmp_path, 60.0)
    log_tail = (f'  File "{tmp_path}/enrich.py", line 3', f"OSError: {tmp_path}/data/x.csv")
    with pytest.raises(EnricherError) as caught:
        raise_on_failure(request, ProcessResult(1, False, 1.0, 1.0, 1.0, log_tail))
    assert caught.value.log_tail == ('  File "enrich.py", line 3', "OSError: data/x.csv")
    assert str(tmp_path) not in caught.value.message


def test_only_the_given_environment_is_seen(run):
    result = run("import os; print(sorted(set(os.environ) - {'LC_CTYPE'}))", environment={"TZ": "UTC"})
    assert result.log_tail == ("['TZ']",)


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
    """How soon a busy machine lets the launcher look at all of them is not known: they wait longer then."""
    script = """
import os, time
(is_held, says_held), (is_over, says_over) = os.pipe(), os.pipe()
for _ in range(2):
    if os.fork() == 0:
        b = bytearray(80 * 2**20); b[::4096] = b'x' * len(b[::4096])
        os.write(says_held, b'x'); os.read(is_over, 1); os._exit(0)
for _ in range(2):
    os.read(is_held, 1)
time.sleep(SECONDS)
os.write(says_over, b'xx')
for _ in range(2):
    os.wait()
"""
    waits = (script.replace("SECONDS", seconds) for seconds in ("0.3", "1.5", "6", "20"))
    assert any(run(each, 60.0).peak_rss_mib > 160 for each in waits)


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
    assert (result.exit_status, result.log_tail) == (1, ("first", "last words"))
    with pytest.raises(EnricherError, match=r"exit status 1: last words$") as caught:
        raise_on_failure(REQUEST, result)
    assert caught.value.command == "engine --fast"
    assert (caught.value.status, caught.value.log_tail) == (1, ("first", "last words"))
    with pytest.raises(EnricherError, match="signal SIGKILL and printed nothing") as caught:
        raise_on_failure(REQUEST, run("import os; os.kill(os.getpid(), 9)"))
    assert caught.value.status == -9


def test_a_command_that_cannot_be_started_is_named(tmp_path):
    with pytest.raises(
        EnricherError, match=r"cannot be started: No such file or directory: .*no-such-program"
    ):
        run_process(ProcessRequest(("no-such-program",), {"PATH": "/bin"}, tmp_path, 5.0))
    with pytest.raises(EnricherError, match=r"cannot be started: .*absent"):
        run_process(ProcessRequest(("true",), {"PATH": "/bin"}, tmp_path / "absent", 5.0))


def test_a_file_that_may_not_be_executed_is_told_so(tmp_path):
    (tmp_path / "link").write_text("#!/bin/sh\n")
    with pytest.raises(EnricherError, match=r"Permission denied: \./link") as caught:
        run_process(ProcessRequest(("./link",), {"PATH": "/bin"}, tmp_path, 5.0))
    assert "the path to an executable" in caught.value.hint


STUBBORN_TREE = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
if os.fork() == 0:
    os.setsid()
open(os.path.join(sys.argv[1], str(os.getpid())), 'w')
time.sleep(60)
"""


@pytest.mark.slow
@on_linux
def test_a_tree_that_ignores_the_polite_signal_and_leaves_its_group_ends_with_the_time(run, tmp_path):
    result = run(STUBBORN_TREE, timeout_seconds=0.7)
    assert result.is_timed_out
    assert len(pids_in(tmp_path)) == 4
    assert not any(is_running(pid) for pid in pids_in(tmp_path))
    with pytest.raises(EnricherError, match=r"timed out after 0\.7 s"):
        raise_on_failure(replace(REQUEST, timeout_seconds=0.7), result)


STEADY = """
import os, pathlib, sys, time
for _ in range(int(sys.argv[2])):
    pathlib.Path(sys.argv[1], 'progress').touch()
    time.sleep(0.1)
time.sleep(60 * int(sys.argv[3]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("hangs", "words"), [(0, None), (1, r"reported no progress for 0\.6 s")], ids=str)
def test_time_runs_from_the_last_progress_of_a_command_that_reports_it(tmp_path, hangs, words):
    arguments = (sys.executable, "-c", STEADY, str(tmp_path), "12", str(hangs))
    request = ProcessRequest(
        arguments, {"PATH": os.defpath}, tmp_path, timeout_seconds=0.6, progress=tmp_path / "progress"
    )
    result = run_process(request)
    assert (result.is_timed_out, result.wall_seconds > 1.2) == (bool(hangs), True)
    if words:
        with pytest.raises(EnricherLimitError, match=words):
            raise_on_failure(request, result)


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
    assert result.log_tail[-1].endswith("the end")
    assert sum(map(len, result.log_tail)) <= 2000


@on_linux
@pytest.mark.parametrize("kill", [os.kill, os.killpg], ids=["alone", "with its group"])
def test_a_killed_caller_leaves_no_tree_behind(tmp_path, kill):
    caller = """
import sys
from pathlib import Path
from sbir_gate.gate.measuring.process import ProcessRequest, run_process
folder = Path(sys.argv[1])
run_process(ProcessRequest((sys.executable, "-c", sys.argv[2], str(folder)), {}, folder, 60.0))
"""
    script = "import os, sys, time; open(os.path.join(sys.argv[1], str(os.getpid())), 'w'); time.sleep(60)"
    arguments = [sys.executable, "-c", caller, str(tmp_path), script]
    with subprocess.Popen(arguments, process_group=0) as process:
        wait_until(lambda: pids_in(tmp_path))
        kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not is_running(pids_in(tmp_path)[0]))


def wait_until(is_true):
    deadline = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


FORGED = """
import json, os, signal, sys, time
parent = os.getppid()
forged = {"exit_status": 0, "start_error": "", "is_timed_out": False, "wall_seconds": 0.01,
          "cpu_seconds": 0.01, "cpu_wait_seconds": 0.0, "peak_rss_mib": 1.0, "survivors": 0}
for descriptor in [1, 3, 4, 5]:
    try:
        with open(f"/proc/{parent}/fd/{descriptor}", "w") as file:
            json.dump(forged, file)
    except OSError:
        pass
for descriptor in range(3, 64):
    try:
        os.write(descriptor, json.dumps(forged).encode())
    except OSError:
        pass
"""


@on_linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_an_enricher_that_ends_its_launcher_has_not_been_measured(run, number):
    with pytest.raises(EnricherError, match=f"launcher was ended by signal {number.name}"):
        run(f"{FORGED}\nos.kill(parent, {int(number)})\ntime.sleep(0.2)")


@on_linux
def test_a_result_beside_that_of_the_launcher_is_no_result(run):
    try:
        result = run(FORGED)
    except ToolError as error:
        assert "gave no result" in error.message  # noqa: PT017 -- either way the forged one does not count
    else:
        assert result.wall_seconds != 0.01


@on_linux
def test_the_command_inherits_no_descriptor_of_its_launcher(run):
    # 3 is the listing itself
    assert run("import os; print(sorted(os.listdir('/proc/self/fd')))").log_tail == ("['0', '1', '2', '3']",)


@on_linux
def test_neither_the_launcher_nor_the_gate_can_be_looked_into_while_the_command_runs(run):
    script = """
import os
for pid in (os.getppid(), int(open(f"/proc/{os.getppid()}/stat").read().rpartition(")")[2].split()[1])):
    try:
        open(f"/proc/{pid}/fd/1", "w")
    except PermissionError as error:
        print("closed")
"""
    if os.getuid() == 0:
        pytest.skip("root may look into every process")
    assert run(script).log_tail == ("closed", "closed")
    assert Path("/proc/self/fd").stat().st_uid == os.getuid()


@on_linux
def test_what_outlives_a_killed_launcher_is_ended(run, tmp_path):
    script = """
import os, signal, sys, time
launcher = os.getppid()
if os.fork() == 0:
    os.setsid()
    os.fork()
    open(os.path.join(sys.argv[1], str(os.getpid())), "w")
    time.sleep(60)
while len(os.listdir(sys.argv[1])) < 2: time.sleep(0.01)
os.kill(launcher, signal.SIGKILL)
time.sleep(60)
"""
    with pytest.raises(EnricherError, match="signal SIGKILL"):
        run(script)
    assert len(pids_in(tmp_path)) == 2
    assert not any(is_running(pid) for pid in pids_in(tmp_path))


def test_the_messages_are_kept_in_a_file_that_the_failure_names(tmp_path):
    log = tmp_path / "logs" / "head-1.log"
    arguments = (sys.executable, "-c", "import sys; print('out', flush=True); sys.exit('first\\nlast')")
    result = run_process(ProcessRequest(arguments, {"PATH": os.defpath}, tmp_path, 30.0, log))
    assert log.read_text() == "out\nfirst\nlast\n"
    with pytest.raises(EnricherError) as caught:
        raise_on_failure(REQUEST, result)
    assert caught.value.log == str(log)
    assert caught.value.hint == f"{log} has all its messages"


def test_a_log_takes_the_place_of_what_lies_there(tmp_path):
    log = tmp_path / "head-1.log"
    os.mkfifo(log)
    arguments = (
        sys.executable,
        "-c",
        f"import os; os.remove({str(log)!r}); os.symlink('none', {str(log)!r})",
    )
    assert run_process(ProcessRequest(arguments, {}, tmp_path, 30.0, log)).log == ""
    assert log.is_symlink()
    script = f"import time; print('x' * {20 * 2**20}, flush=True); time.sleep(0.3); print('the end')"
    arguments = (sys.executable, "-c", script)
    assert run_process(ProcessRequest(arguments, {}, tmp_path, 30.0, log)).log == str(log)
    assert not log.is_symlink()
    assert not (tmp_path / "none").exists()
    assert log.read_text().endswith("the end\n")
    assert log.stat().st_size <= 64 * 2**10


def test_a_good_end_raises_nothing():
    assert raise_on_failure(REQUEST, ProcessResult(0, False, 1.0, 1.0, 10.0)) is None


def test_the_tail_is_the_last_lines_without_control_characters():
    tail = plain_tail("\n".join(f"line {number}\t\x00\x9b\u202e" for number in range(50)))
    assert tail == tuple(f"line {number}" for number in range(35, 50))
    assert plain_tail("def f():\n    x\n\n") == ("def f():", "    x")
    assert plain_tail("\n") == ()
    assert len(plain_tail("x" * 5000)[0]) == 2000


def test_the_launcher_needs_the_standard_library_alone():
    root = Path(__file__).parents[4]
    code = f"import sys; sys.path.append({str(root)!r}); import sbir_gate.gate.measuring.launcher"
    assert subprocess.run([sys.executable, "-I", "-S", "-c", code], check=False).returncode == 0


@pytest.mark.skipif(not Path("/proc/pressure/cpu").exists(), reason="this kernel does not record waiting")
def test_waiting_for_a_processor_is_reported(run):
    assert run("pass").cpu_wait_seconds >= 0


def test_the_launcher_takes_no_code_that_an_enricher_put_in_its_place(run, tmp_path, monkeypatch):
    planted = tmp_path / "planted"
    for name in (
        "__init__.py",
        "gate/__init__.py",
        "gate/measuring/__init__.py",
        "gate/measuring/launcher.py",
    ):
        path = planted / "sbir_gate" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("raise SystemExit('planted')")
    monkeypatch.chdir(planted)
    assert run("pass", environment={"PATH": os.defpath, "PYTHONPATH": str(planted)}).exit_status == 0
