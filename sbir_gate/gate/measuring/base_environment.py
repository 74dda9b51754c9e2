"""The environment in which the base's code runs: its own if its locks differ, else head's.

Either way the base's files come first: what Python imports, and what a command names by path, is looked
for in the checkout before anywhere else. Otherwise head, which is often installed so that Python follows
its working tree, would be measured against itself, and no change would ever be seen.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from sbir_gate.errors import ConfigurationError, EnricherError, ToolError
from sbir_gate.gate.measuring.benchmark import Launch
from sbir_gate.gate.measuring.environment import is_secret_name, scrubbed_environment
from sbir_gate.gate.measuring.locks import is_project
from sbir_gate.gate.measuring.process import ProcessRequest, raise_on_failure

SETUP_SECONDS = 1800.0  # a set-up that downloads and builds everything takes minutes; a longer one hangs
# what the built-in way installs from: the first of them that the base has, with the options of pip
RECIPES: Mapping[str, tuple[str, ...]] = {
    "requirements.lock": ("--require-hashes",),
    "requirements.txt": (),
}
FOLDER = ".venv"
# how pip and uv reach their index
_SETUP_NAMES = re.compile(
    r"(PIP|UV)_\w+|(HTTPS?|ALL|NO)_PROXY|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE", re.IGNORECASE
)
_PLACEHOLDER = "{python}"


@dataclass(frozen=True, slots=True)
class Place:
    """One side's files: the top folder of its working tree, and the folder in which its enricher runs."""

    root: Path
    working_folder: Path


def recipe_of(folder: Path) -> str | None:
    """Return the file that the built-in way makes an environment from, None if the folder has none."""
    return next((name for name in RECIPES if (folder / name).is_file()), None)


def set_up(
    command: Sequence[str] | None, base: Place, python: str, environment: Mapping[str, str], launch: Launch
) -> Path | None:
    """Make the base's own environment in its working folder and return it: `.venv`.

    `command` is benchmark.base_setup, with `{python}` for the interpreter `python`; None means the
    built-in way: what `requirements.lock` or `requirements.txt` lists, and the project itself. None is
    returned where the command made no `.venv`. The set-up sees the variables that an enricher sees, and what
    leads pip and uv to their index.

    Raises ConfigurationError where the built-in way has no such file, ToolError if a step fails.
    """
    added = [name for name in environment if _SETUP_NAMES.fullmatch(name) and not is_secret_name(name)]
    seen = scrubbed_environment(environment, added)
    own = base.working_folder / FOLDER
    for arguments in _steps(command, base, python):
        request = ProcessRequest(
            arguments, seen, base.working_folder, SETUP_SECONDS, name=shlex.join(arguments)
        )
        try:
            raise_on_failure(request, launch(request))
        except EnricherError as error:
            raise ToolError(
                f"the base's environment cannot be made: {error.message}",
                "name a command that makes it in benchmark.base_setup",
            ) from error
    return own if python_of(own).exists() else None


def python_of(own: Path) -> Path:
    """Return the interpreter of a Python environment."""
    return own / "bin" / "python"


def _steps(command: Sequence[str] | None, base: Place, python: str) -> list[tuple[str, ...]]:
    if command is not None:
        return [tuple(argument.replace(_PLACEHOLDER, python) for argument in command)]
    recipe = recipe_of(base.working_folder)
    if recipe is None:
        raise ConfigurationError(
            f"the base has no {' or '.join(RECIPES)} to make an environment from",
            "name a command that makes it in benchmark.base_setup",
        )
    made = str(python_of(Path(FOLDER)))
    install = (made, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input")
    steps = [(python, "-m", "venv", FOLDER), (*install, *RECIPES[recipe], "--requirement", recipe)]
    if is_project(base.working_folder):
        steps.append((*install, "--no-deps", "."))
    return steps


def side_environment(
    side: Place, head: Place, own: Path | None, environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of one side: as it is, but with the side's own files first.

    The side's working folder and root, each with its `src`, come first in PYTHONPATH; an entry within
    head's tree is turned into the side's. The programs of `own`, the side's own Python environment, come
    first in PATH. Both sides get such a PYTHONPATH, so that it makes no difference between them.
    """
    given = [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    folders = [*_own(side), *(moved(Path(entry), head, side) for entry in given)]
    changed = {**environment, "PYTHONPATH": os.pathsep.join(dict.fromkeys(map(str, folders)))}
    if own is not None:
        changed["PATH"] = os.pathsep.join([str(own / "bin"), environment.get("PATH", os.defpath)])
        changed["VIRTUAL_ENV"] = str(own)
    return changed


def side_command(command: Sequence[str], head: Place, base: Place) -> tuple[str, ...]:
    """Return head's command so that it runs the base's files.

    A path into head's tree becomes the same path in the base's, also where that is missing: the base then
    breaks, and is not run with head's file. Only what lies in a Python environment of head's tree
    (`.venv/bin/...`) stays head's where the base has none.
    """
    program, *rest = (_argument(argument, head, base) for argument in command)
    if "/" in program and not (base.working_folder / program).exists():
        in_head = head.working_folder / program
        program = str(in_head) if _is_in_environment(in_head, head) else program
    return (program, *rest)


def names_its_files(command: Sequence[str], base: Place) -> bool:
    """Say whether a command shows that it runs files of the base: by path, or as a module (`-m`)."""
    modules = [word.partition(".")[0] for option, word in pairwise(command) if option == "-m"]
    return any(_holds_module(base, module) for module in modules) or any(
        _is_within(path, base.root) and path.is_file()
        for path in (_normal(base.working_folder / argument) for argument in command)
    )


def named_files(command: Sequence[str], head: Place) -> Mapping[str, tuple[Path, ...]]:
    """Return the files and modules of head's tree that a command names, each with where it may lie there.

    What lies in a Python environment is left out: the base may use head's.
    """
    found: dict[str, tuple[Path, ...]] = {}
    for argument in command:
        path = _normal(head.working_folder / argument)
        if _is_within(path, head.root) and path.is_file() and not _is_in_environment(path, head):
            found[argument] = (path,)
    for option, word in pairwise(command):
        module = word.partition(".")[0]
        if option == "-m" and _holds_module(head, module):
            found[word] = tuple(_module_files(head, module))
    return found


def import_folders(side: Place, command: Sequence[str], environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders below a side's root that its enricher imports from, however that is started.

    They are those of its PYTHONPATH (see `side_environment`) and those of the scripts that the command names.
    """
    entries = side_environment(side, side, None, environment)["PYTHONPATH"].split(os.pathsep)
    scripts = (path.parent for paths in named_files(command, side).values() for path in paths)
    folders = (_normal(side.working_folder / folder) for folder in (*map(Path, entries), *scripts))
    return tuple(dict.fromkeys(folder for folder in folders if _is_within(folder, side.root)))


def engine_folder(side: Place, own: Path | None, package: str) -> Path | None:
    """Return the folder from which the side imports its own `package`; None if it has no such package."""
    installed = sorted(own.glob("lib/python*/site-packages")) if own else []
    folders = (*_own(side), *installed)
    return next((folder for folder in folders if (folder / package / "__init__.py").is_file()), None)


def moved(path: Path, head: Place, side: Place) -> Path:
    """Return the path in a side's tree that answers to one in head's; any other path as it is."""
    path = _normal(path)
    return side.root / path.relative_to(head.root) if _is_within(path, head.root) else path


def _holds_module(side: Place, module: str) -> bool:
    """Say whether a side's own files hold a module or package of this name."""
    return any(path.is_file() for path in _module_files(side, module))


def _module_files(side: Place, module: str) -> Iterator[Path]:
    for folder in _own(side):
        yield folder / module / "__init__.py"
        yield folder / f"{module}.py"


def _own(side: Place) -> list[Path]:
    """Return the folders of a side that Python imports from."""
    return [folder / name for folder in (side.working_folder, side.root) for name in ("", "src")]


def _argument(argument: str, head: Place, base: Place) -> str:
    path = _normal(Path(argument))
    if not path.is_absolute() or not _is_within(path, head.root):
        return argument
    of_base = moved(path, head, base)
    return argument if not of_base.exists() and _is_in_environment(path, head) else str(of_base)


def _is_in_environment(path: Path, side: Place) -> bool:
    """Say whether a path lies in a Python environment below the side's root."""
    return any(
        (folder / "pyvenv.cfg").is_file() for folder in _normal(path).parents if _is_within(folder, side.root)
    )


def _is_within(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder)


def _normal(path: Path) -> Path:
    """Return the path without `..`; links are not followed, so that `.venv/bin/python` stays in `.venv`."""
    return Path(os.path.normpath(path))
