"""The rules of the house that no linter checks."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from vulture import Vulture

import sbir_gate
from sbir_gate.settings.keys import KNOWN_KEYS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "sbir_gate"
EXCUSED_NAMES = ROOT / "tests" / "names_in_use.py"
MODULES = sorted(PACKAGE.rglob("*.py"))
LOCKS = sorted(ROOT.glob("requirements*.lock"))
FORBIDDEN_NAMES = {"utils", "helpers", "common", "core", "misc", "manager", "handler", "processor", "base"}
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60


def place(path):
    return path.relative_to(ROOT).as_posix()


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), place(path))


@pytest.fixture(scope="module")
def trees():
    return {path: tree(path) for path in MODULES}


def test_no_module_is_longer_than_400_lines():
    lengths = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > MAX_MODULE_LINES} == {}


def test_no_function_is_longer_than_60_lines(trees):
    lengths = {
        f"{place(path)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path, module in trees.items()
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > MAX_FUNCTION_LINES} == {}


def test_every_module_says_what_it_is(trees):
    assert [place(path) for path, module in trees.items() if not ast.get_docstring(module)] == []


def test_names_of_modules_say_what_is_in_them():
    parts = {path: {*path.relative_to(PACKAGE).with_suffix("").parts} for path in MODULES}
    assert [place(path) for path, names in parts.items() if names & FORBIDDEN_NAMES] == []


def test_nothing_is_left_to_do():
    marks = re.compile(r"\b(TODO|FIXME|XXX)\b")
    assert [place(path) for path in MODULES if marks.search(path.read_text(encoding="utf-8"))] == []


# what opens a file for reading without `sbir_gate.files`, and why that can neither wait nor grow without end
OWN_OPENINGS = {
    "sbir_gate/files.py": "the one opener",
    "sbir_gate/remote_paths.py": "of remote storage, for the one opener: it holds neither pipes nor devices",
    "sbir_gate/gate/measuring/launcher.py": "runs without the rest of the package, and reads /proc",
    "sbir_gate/gate/measuring/usage.py": "runs in the launcher, and reads /proc",
    "sbir_gate/gate/measuring/handicap.py": "runs without the rest of the package, and reads /proc",
    "sbir_gate/gate/measuring/machine.py": "/proc/cpuinfo",
    "sbir_gate/engine/matching/confidence.py": "a file of the package",
    "sbir_gate/engine/matching/normalise.py": "a file of the package",
    "sbir_gate/datasets/synthesising/geography.py": "a file of the package",
    "sbir_gate/datasets/synthesising/vocabulary.py": "a file of the package",
    "sbir_gate/gate/reporting/messages.py": "a file of the package",
    "sbir_gate/pipeline/new_gate/action_address.py": "metadata of the package",
    "sbir_gate/engine/recipient_parts.py": "the files of the package",
    "sbir_gate/cli/help.py": "the pages of the package",
    "sbir_gate/pages/page.py": "files of the package",
}


def test_files_are_opened_for_reading_in_one_place(trees):
    openings = {
        place(path)
        for path, module in trees.items()
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and is_reading(node)
    }
    assert openings - OWN_OPENINGS.keys() == set()


def is_reading(call):
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in {"read_text", "read_bytes"}:
        return True
    modes = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    return name == "open" and any(mode in {"r", "rb", "rt", "r+b"} for mode in modes)


# a text that was made to be read; everything else that has these names is a fact
MESSAGES = {"message", "text", "title", "reason", "words", "said", "sentence"}
PARSERS = {"split", "rsplit", "splitlines", "partition", "rpartition", "removeprefix", "removesuffix"}
PARSERS |= {"startswith", "endswith", "index", "find"}
# what takes a text apart that others wrote, and why there is no other way
OWN_PARSING: dict[str, str] = {
    "sbir_gate/settings/action_inputs.py": "pydantic has no field for what it says",
    "sbir_gate/gate/reporting/message.py": "prints the lines of its own text",
    "sbir_gate/gate/doctor.py": "makes one line of an error",
    "sbir_gate/gate/untrusted.py": "makes one line of an error",
    "sbir_gate/gate/storing/credentials.py": "the text is a token",
    "sbir_gate/reading/dump_rows.py": "the text is the data that is read",
}


def test_no_message_is_taken_apart(trees):
    """Rules and figures are compared, never sentences: no attribute named like a message is parsed."""
    found = {
        f"{place(path)}:{node.lineno}"
        for path, module in trees.items()
        if place(path) not in OWN_PARSING
        for node in ast.walk(module)
        if is_parsing_a_message(node)
    }
    assert found == set()


def is_parsing_a_message(node):
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PARSERS:
        return is_message(node.func.value)
    return (
        isinstance(node, ast.Compare)
        and any(isinstance(each, ast.In | ast.NotIn) for each in node.ops)
        and isinstance(node.left, ast.Constant)
        and isinstance(node.left.value, str)
        and any(is_message(each) for each in node.comparators)
    )


def is_message(node):
    return isinstance(node, ast.Attribute) and node.attr in MESSAGES


def test_every_silenced_check_gives_its_reason():
    bare = re.compile(r"#\s*(noqa(: [A-Z0-9, ]+)?|type: ignore(\[[a-z-, ]+\])?)\s*$")
    lines = (
        f"{place(path)}:{number}"
        for path in MODULES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bare.search(line)
    )
    assert list(lines) == []


def test_the_floors_hold():
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.slow
def test_only_names_without_a_use_in_the_package_are_excused():
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["vulture"]
    found = Vulture(ignore_names=rules["ignore_names"], ignore_decorators=rules["ignore_decorators"])
    found.scavenge([str(PACKAGE)])
    excused = {node.attr for node in ast.walk(tree(EXCUSED_NAMES)) if isinstance(node, ast.Attribute)}
    assert {item.name for item in found.get_unused_code()} == excused


@pytest.mark.parametrize("lock", [*LOCKS, *sorted(ROOT.glob(".github/*/tools.txt"))], ids=place)
def test_a_lock_holds_no_address_and_every_pin_has_hashes(lock):
    text = lock.read_text(encoding="utf-8")
    assert not re.search(
        r"://|--(extra-)?index-url|--find-links|--trusted-host| @ |^-e |^/", text, re.MULTILINE
    )
    pins = re.findall(r"^[a-z0-9].*(?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)*", text, re.MULTILINE)
    assert len(pins) > 20
    for pin in pins:
        assert re.match(r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==[^ ]+ ", pin)
        assert "--hash=sha256:" in pin, pin


def test_the_locks_agree():
    # an extra of a package that only the tests need does not change its version
    dev, nomenklatura, peers, s3, run = (
        {
            name + version
            for name, version in re.findall(
                r"^([a-z0-9-]+)(?:\[.*\])?(==[^ ]+)", lock.read_text(encoding="utf-8"), re.MULTILINE
            )
        }
        for lock in LOCKS
    )
    assert len(run) > 20
    assert run <= dev
    # beside the packages of the tests, but for one that is too new for Amazon's own library
    others = {pin.partition("==")[0] for pin in s3 - dev} & {pin.partition("==")[0] for pin in dev}
    assert others <= {"python-dateutil"}
    # the peers are measured on the engine's own versions of what both use
    shared = {pin for pin in run if re.match(r"(duckdb|numpy|rapidfuzz)==", pin)}
    assert shared <= peers
    assert {pin for pin in shared if not pin.startswith("duckdb")} <= nomenklatura


def test_the_locks_hold_what_pyproject_asks_for_and_no_arrow():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {re.match(r"[a-z0-9-]+", line.lower()).group() for line in project["dependencies"]}
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==", text, re.MULTILINE))
    assert asked <= locked
    assert "pyarrow" not in locked


def test_every_setting_says_what_it_is_in_the_line_above():
    lines = (ROOT / "config" / "base.yaml").read_text(encoding="utf-8").splitlines()
    above_metrics = lines[: lines.index("  metrics:")]
    values = [number for number, line in enumerate(above_metrics) if re.match(r" +[a-z_]+: \S", line)]
    assert len(values) > 30
    assert [lines[number] for number in values if not lines[number - 1].strip().startswith("# ")] == []


def test_every_setting_is_read_by_the_pipeline_or_the_command_line(trees):
    """A key that nothing reads is an option that does nothing.

    Read means: `<section>.<name>` is in a use case, the command line, Dagster, or what makes the options of a
    step; the section may be an attribute or a variable of that name.
    """
    readers = [
        module
        for path, module in trees.items()
        if path.parent.name in {"pipeline", "cli", "orchestration", "gate", "engine", "datasets"}
        or path in {PACKAGE / "settings" / "judgement.py", PACKAGE / "settings" / "reading.py"}
    ]
    read = {
        f"{owner}.{node.attr}"
        for module in readers
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute)
        for owner in (getattr(node.value, "attr", None), getattr(node.value, "id", None))
        if owner
    }
    keys = [key for key in KNOWN_KEYS if "*" not in key]  # what a metric holds is covered by test_judgement
    assert [key for key in keys if ".".join(key.split(".")[-2:]) not in read] == []


@pytest.mark.slow
def test_a_wheel_carries_the_one_base_file_and_finds_it(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    address = "https://github.com/example-org/sbir-gate"
    named = {**os.environ, "SBIR_GATE_REPOSITORY": address}
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, env=named)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    assert (tmp_path / "installed" / "sbir_gate" / "base.yaml").read_bytes() == (
        ROOT / "config" / "base.yaml"
    ).read_bytes()
    assert (tmp_path / "installed" / "sbir_gate" / "py.typed").exists()
    (metadata,) = (tmp_path / "installed").glob("*.dist-info/METADATA")
    about = metadata.read_text(encoding="utf-8")
    assert f"Project-URL: Source, {address}\n" in about
    assert f"]({address}/blob/v{sbir_gate.__version__}/docs/" in about
    show = "from sbir_gate.settings import load_settings; print(load_settings(None, {}).origins['gate.name'])"
    finished = subprocess.run(
        [sys.executable, "-c", show],
        cwd=tmp_path / "installed",
        check=True,
        capture_output=True,
        text=True,
    )
    assert finished.stdout.startswith("sbir_gate/base.yaml:")
