"""What changes the environment of an engine, and what in a lock file does not."""

import pytest

from sbir_gate.errors import InputError
from sbir_gate.gate.measuring.locks import (
    PackageChange,
    changed_packages,
    differing_locks,
    is_project,
    lock_names,
)

PROJECT = """\
[build-system]
requires = ["hatchling==1.27"]
[project]
name = "pipeline"
version = "1"
requires-python = ">=3.11"
dependencies = ["pandas>=2", "Py_Arrow==17"]
[project.optional-dependencies]
fast = ["polars==1"]
[dependency-groups]
dev = ["pytest==8", {include-group = "lint"}]
lint = ["ruff==1"]
[tool.ruff]
line-length = 88
[tool.poetry]
name = "pipeline"
[tool.poetry.dependencies]
requests = "^2.31"
[tool.uv]
override-dependencies = ["numpy<2"]
"""


@pytest.fixture
def head(tmp_path):
    folder = tmp_path / "head"
    folder.mkdir()
    return folder


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "base"
    folder.mkdir()
    return folder


def both(head, base, name, before, after):
    (base / name).write_text(before)
    (head / name).write_text(after)


def test_locks_that_are_named_are_compared_and_others_are_not(head, base):
    for folder in (head, base):
        (folder / "a.lock").write_text("1")
        (folder / "b.lock").write_text("2")
    both(head, base, "uv.lock", "x = 1\n", "x = 2\n")
    assert differing_locks(["a.lock", "b.lock", "nowhere.lock"], head, base) == ()
    (head / "b.lock").write_text("3")
    assert differing_locks(["a.lock", "b.lock"], head, base) == ("b.lock",)
    assert differing_locks([], head, base) == ()


@pytest.mark.parametrize("side", ["head", "base"])
def test_a_lock_that_only_one_side_has_differs(head, base, side):
    ({"head": head, "base": base}[side] / "uv.lock").write_text("")
    assert differing_locks(None, head, base) == ("uv.lock",)


@pytest.mark.parametrize("target", [None, "/dev/zero"])
def test_a_lock_that_is_no_file_is_wrong_input_and_is_not_read(head, base, target):
    (base / "a.lock").write_text("")
    if target:
        (head / "a.lock").symlink_to(target)
    else:
        (head / "a.lock").mkdir()
    with pytest.raises(InputError, match=r"a\.lock: is not a regular file") as caught:
        differing_locks(["a.lock"], head, base)
    assert "benchmark.base_lock" in caught.value.hint


@pytest.mark.parametrize(
    "name",
    [
        *(
            "requirements.lock",
            "requirements.txt",
            "requirements-dev.txt",
            "uv.lock",
            "poetry.lock",
            "pdm.lock",
        ),
        *(
            "Pipfile.lock",
            "pylock.toml",
            "pylock.gpu.toml",
            "environment.yml",
            "conda-lock.yml",
            "pyproject.toml",
        ),
    ],
)
def test_known_lock_files_are_found(head, base, name):
    (head / name).write_text("")
    assert lock_names(None, head, base) == (name,)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("line-length = 88", "line-length = 120"),
        ('version = "1"', 'version = "2"'),
        ('name = "pipeline"\n[tool.poetry.dep', 'name = "other"\n[tool.poetry.dep'),
        ('requires-python = ">=3.11"', 'requires-python   =  ">=3.11"  # a comment'),
    ],
)
def test_what_changes_no_environment_is_no_difference(head, base, before, after):
    assert before in PROJECT
    both(head, base, "pyproject.toml", PROJECT, PROJECT.replace(before, after))
    assert differing_locks(None, head, base) == ()


def test_nor_is_a_project_file_that_only_configures_tools(head, base):
    (head / "pyproject.toml").write_text("[tool.black]\nline-length = 99\n")
    assert differing_locks(None, head, base) == ()
    assert differing_locks(None, base, head) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("hatchling==1.27", "hatchling==1.28"),
        (">=3.11", ">=3.12"),
        ("pandas>=2", "pandas>=3"),
        ("polars==1", "polars==2"),
        ("pytest==8", "pytest==9"),
        ("^2.31", "^2.32"),
        ("numpy<2", "numpy<3"),
        ("[build-system]", "[build-system"),
    ],
)
def test_what_changes_it_is(head, base, before, after):
    both(head, base, "pyproject.toml", PROJECT, PROJECT.replace(before, after))
    assert differing_locks(None, head, base) == ("pyproject.toml",)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("requirements.txt", "# old\npandas==2\n\n", "pandas==2\n# new\n"),
        ("uv.lock", "[[package]]\nname='a'\nversion='1'\n", "[[package]]\nversion='1'\nname='a' # x\n"),
        ("Pipfile.lock", '{"a": 1, "b": 2}', '{"b": 2,\n"a": 1}'),
    ],
)
def test_comments_and_layout_are_no_difference(head, base, name, before, after):
    both(head, base, name, before, after)
    assert differing_locks(None, head, base) == ()


@pytest.mark.parametrize(
    ("name", "before", "after", "words"),
    [
        (
            "requirements.txt",
            "Pandas==2.1 ; python_version>'3'\nx==1",
            "pandas==2.2\nx==1",
            ("pandas", "2.1", "2.2"),
        ),
        (
            "requirements.lock",
            "a-b==1 \\\n    --hash=sha256:0\n",
            "a-b==2 \\\n    --hash=sha256:1\n",
            ("a-b", "1", "2"),
        ),
        ("requirements.txt", "pandas\n", "pandas\nnew>=3,<4\n", ("new", "", ">=3,<4")),
        (
            "uv.lock",
            "[[package]]\nname='a'\nversion='1'\n",
            "[[package]]\nname='a'\nversion='2'\n",
            ("a", "1", "2"),
        ),
        ("pylock.toml", "[[packages]]\nname='a'\nversion='1'\n", "packages=[]\n", ("a", "1", "")),
        (
            "Pipfile.lock",
            '{"default": {"a": {"version": "==1"}}}',
            '{"default": {"a": {"version": "==2"}}}',
            ("a", "1", "2"),
        ),
        (
            "environment.yml",
            "dependencies:\n  - python=3.11\n",
            "dependencies:\n  - python=3.12\n",
            ("python", "3.11", "3.12"),
        ),
        ("environment.yml", "d:\n  - pip:\n    - a==1\n", "d:\n  - pip:\n    - a==2\n", ("a", "1", "2")),
        ("conda-lock.yml", "- name: a\n  version: '1'\n", "- name: a\n  version: '2'\n", ("a", "1", "2")),
        ("pyproject.toml", PROJECT, PROJECT.replace("Py_Arrow==17", "pyarrow"), None),
        ("pyproject.toml", PROJECT, PROJECT.replace("pandas>=2", "pandas>=3"), ("pandas", ">=2", ">=3")),
        ("pyproject.toml", PROJECT, PROJECT.replace("^2.31", "^2.32"), ("requests", "^2.31", "^2.32")),
        ("pyproject.toml", PROJECT, PROJECT.replace("pytest==8", "pytest==9"), ("pytest", "8", "9")),
    ],
)
def test_a_changed_dependency_is_named(head, base, name, before, after, words):
    both(head, base, name, before, after)
    assert differing_locks(None, head, base) == (name,)
    found = changed_packages([name], head, base)
    if words is None:
        assert found == (
            PackageChange("py-arrow", "17", ""),
            PackageChange("pyarrow", "", "any version"),
        )
    else:
        assert found == (PackageChange(*words),)


def test_what_is_pinned_comes_before_what_is_asked_for(head, base):
    both(head, base, "requirements.txt", "pandas==2.1\n", "pandas==2.2\n")
    both(head, base, "pyproject.toml", PROJECT, PROJECT.replace("pandas>=2", "pandas>=2.2"))
    names = differing_locks(None, head, base)
    assert names == ("requirements.txt", "pyproject.toml")
    assert changed_packages(names, head, base) == (PackageChange("pandas", "2.1", "2.2"),)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[broken", b"{"])
@pytest.mark.parametrize("name", ["uv.lock", "Pipfile.lock", "requirements.txt", "pyproject.toml"])
def test_a_damaged_lock_is_compared_by_its_bytes(head, base, name, content):
    (head / name).write_bytes(content)
    (base / name).write_bytes(content)
    assert differing_locks(None, head, base) == ()
    (head / name).write_bytes(content + b"x")
    assert differing_locks(None, head, base) == (name,)
    changed_packages([name], head, base)


def test_a_project_is_what_can_be_installed(tmp_path):
    assert not is_project(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n")
    assert not is_project(tmp_path)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    assert is_project(tmp_path)
    (tmp_path / "pyproject.toml").unlink()
    (tmp_path / "setup.py").write_text("")
    assert is_project(tmp_path)
