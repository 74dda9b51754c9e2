import os
import sys

import pytest

from sbir_gate.errors import ConfigurationError, ExitStatus, ToolError
from sbir_gate.gate.measuring.base_environment import (
    Place,
    engine_folder,
    moved,
    names_its_files,
    python_of,
    set_up,
    side_command,
    side_environment,
)
from sbir_gate.gate.measuring.process import ProcessResult, run_process

WELL = ProcessResult(0, False, 1.0, 1.0, 1.0)


class FakeLaunch:
    """Plays the set-up: notes what is asked for, makes `.venv` where `venv` is asked for, ends as told."""

    def __init__(self, *ends):
        self.ends = list(ends)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        if "venv" in request.arguments:
            make(python_of(request.working_folder / ".venv"))
        return self.ends[min(len(self.requests), len(self.ends)) - 1] if self.ends else WELL


def make(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def head(tmp_path):
    folder = tmp_path / "head"
    folder.mkdir()
    return Place(folder, folder)


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "base"
    folder.mkdir()
    return Place(folder, folder)


# the base's own environment


def test_the_built_in_way_installs_what_the_lock_pins_and_the_project(base):
    make(base.root / "requirements.lock")
    make(base.root / "pyproject.toml")
    launch = FakeLaunch()
    own = set_up(None, base, "/usr/bin/python", {"PATH": "/bin"}, launch)
    assert own == base.root / ".venv"
    made = ".venv/bin/python"
    venv, locked, project = (request.arguments for request in launch.requests)
    assert venv == ("/usr/bin/python", "-m", "venv", ".venv")
    assert locked[:4] == (made, "-m", "pip", "install")
    assert locked[-3:] == ("--require-hashes", "--requirement", "requirements.lock")
    assert project[-2:] == ("--no-deps", ".")
    assert {request.working_folder for request in launch.requests} == {base.root}


def test_without_a_project_only_the_lock_is_installed(base):
    make(base.root / "requirements.lock")
    # settings of tools alone are no project
    make(base.root / "pyproject.toml", "[tool.ruff]\nline-length = 99\n")
    launch = FakeLaunch()
    set_up(None, base, "python", {}, launch)
    assert len(launch.requests) == 2


def test_without_a_lock_it_installs_what_requirements_txt_lists(base):
    make(base.root / "requirements.txt")
    launch = FakeLaunch()
    set_up(None, base, "python", {}, launch)
    assert launch.requests[-1].arguments[-2:] == ("--requirement", "requirements.txt")
    assert "--require-hashes" not in launch.requests[-1].arguments


def test_without_a_lock_the_built_in_way_asks_for_a_command(base):
    with pytest.raises(ConfigurationError, match=r"has no requirements\.lock") as caught:
        set_up(None, base, "python", {}, FakeLaunch())
    assert "benchmark.base_setup" in caught.value.hint


def test_a_command_of_ones_own_is_started_as_it_is(base):
    launch = FakeLaunch()
    own = set_up(("make", "PYTHON={python}", "; touch hacked"), base, "/py", {}, launch)
    assert [request.arguments for request in launch.requests] == [("make", "PYTHON=/py", "; touch hacked")]
    assert own is None  # it made no .venv


def test_the_set_up_reaches_its_index_and_sees_no_secret(base):
    environment = {
        "PATH": "/bin",
        "PIP_INDEX_URL": "https://index.example",
        "UV_OFFLINE": "1",
        "https_proxy": "http://proxy.example",
        "GITHUB_TOKEN": "secret",
        "PIP_TOKEN": "secret",
        "OTHER": "x",
    }
    launch = FakeLaunch()
    set_up(("make",), base, "python", environment, launch)
    assert sorted(launch.requests[0].environment) == ["PATH", "PIP_INDEX_URL", "UV_OFFLINE", "https_proxy"]


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (ProcessResult(1, False, 1.0, 1.0, 1.0, ("no such package",)), "exit status 1: no such package"),
        (ProcessResult(0, True, 1800.0, 1.0, 1.0), "timed out after 1800 s"),
    ],
)
def test_a_set_up_that_fails_is_told_with_its_command(base, end, words):
    with pytest.raises(ToolError) as caught:
        set_up(("make", "environment"), base, "python", {}, FakeLaunch(end))
    assert caught.value.message.startswith("the base's environment cannot be made: make environment")
    assert words in caught.value.message
    assert caught.value.exit_status is ExitStatus.BROKEN


def test_a_set_up_that_is_no_program_is_told(base):
    with pytest.raises(ToolError, match=r"\./no-such-program cannot be started"):
        set_up(("./no-such-program",), base, "python", {"PATH": os.defpath}, run_process)


# what a side sees


def test_each_side_imports_its_own_files_first(tmp_path):
    head = Place(tmp_path / "head", tmp_path / "head" / "etl")
    base = Place(tmp_path / "base", tmp_path / "base" / "etl")
    given = {"PYTHONPATH": f"{head.root}/lib:/elsewhere:", "PATH": "/bin", "X": "1"}
    seen = side_environment(base, head, None, given)
    assert seen["PYTHONPATH"].split(":") == [
        *(f"{base.root}/etl", f"{base.root}/etl/src", f"{base.root}", f"{base.root}/src"),
        *(f"{base.root}/lib", "/elsewhere"),
    ]
    assert (seen["PATH"], seen["X"]) == ("/bin", "1")
    assert "VIRTUAL_ENV" not in seen
    heads = side_environment(head, head, None, given)["PYTHONPATH"]
    assert heads == seen["PYTHONPATH"].replace(str(base.root), str(head.root))


def test_an_environment_of_its_own_comes_first_on_the_path(head, base):
    seen = side_environment(base, head, base.root / ".venv", {"PATH": "/bin", "VIRTUAL_ENV": "/other"})
    assert seen["PATH"] == f"{base.root}/.venv/bin:/bin"
    assert seen["VIRTUAL_ENV"] == f"{base.root}/.venv"


# which command runs the base


def test_a_path_into_heads_tree_becomes_the_bases(head, base):
    make(base.root / "enrich.py")
    command = ("{python}", f"{head.root}/enrich.py", "enrich.py", "/etc/hosts", "{awards}")
    assert side_command(command, head, base) == (
        *("{python}", f"{base.root}/enrich.py", "enrich.py", "/etc/hosts", "{awards}"),
    )


def test_a_file_that_is_new_in_head_is_not_run_for_the_base(head, base):
    make(head.root / "new.sh")
    assert side_command((f"{head.root}/new.sh",), head, base) == (f"{base.root}/new.sh",)
    assert side_command((f"{head.root}/x/../new.sh",), head, base) == (f"{base.root}/new.sh",)
    assert side_command(("./new.sh",), head, base) == ("./new.sh",)


@pytest.mark.parametrize("program", [".venv/bin/engine", "{root}/.venv/bin/engine"])
def test_a_program_of_heads_environment_is_used_where_the_base_has_none(head, base, program):
    engine = make(head.root / ".venv" / "bin" / "engine")
    make(head.root / ".venv" / "pyvenv.cfg")
    command = (program.format(root=head.root), "x")
    assert side_command(command, head, base) == (str(engine), "x")
    own = make(base.root / ".venv" / "bin" / "engine")
    assert (base.root / side_command(command, head, base)[0]) == own


def test_whether_a_command_runs_files_of_the_base_can_be_seen(base):
    make(base.root / "enrich.py")
    make(base.root / "src" / "engine" / "__init__.py")
    make(base.root / "single.py")
    assert names_its_files(("{python}", "enrich.py"), base)
    assert names_its_files(("{python}", str(base.root / "enrich.py")), base)
    assert names_its_files(("{python}", "-m", "engine.cli"), base)
    assert names_its_files(("{python}", "-m", "single"), base)
    assert not names_its_files(("engine", "{awards}"), base)
    assert not names_its_files(("{python}", "-m", "elsewhere"), base)
    assert not names_its_files(("{python}", sys.executable, "../head/enrich.py"), base)


def test_the_engine_of_a_side_is_where_it_is_imported_from(base):
    own = base.root / ".venv"
    assert engine_folder(base, None, "engine") is None
    installed = make(own / "lib" / "python3.11" / "site-packages" / "engine" / "__init__.py")
    assert engine_folder(base, own, "engine") == installed.parents[1]
    assert engine_folder(base, None, "engine") is None
    make(base.root / "src" / "engine" / "__init__.py")
    assert engine_folder(base, own, "engine") == base.root / "src"
    (base.root / "engine").mkdir()  # an empty folder of that name is no package
    assert engine_folder(base, own, "engine") == base.root / "src"


def test_only_paths_into_heads_tree_are_moved(head, base):
    assert moved(head.root / "a" / "b", head, base) == base.root / "a" / "b"
    assert moved(head.root.with_name("headless") / "a", head, base) == head.root.with_name("headless") / "a"
    assert moved(head.root / ".." / "x", head, base) == head.root.parent / "x"
