"""The environment that a measured process sees: an allow-list without any token, and its interpreter.

What a process leaves for a later one to find lies in folders of its own, as far as variables name them.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sbir_gate.errors import ConfigurationError

PASSED_NAMES = frozenset(
    {
        "HOME",
        "LANG",
        "LD_LIBRARY_PATH",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "PATH",
        "POLARS_MAX_THREADS",
        "PYTHONHASHSEED",
        "PYTHONPATH",
        "RAYON_NUM_THREADS",
        "SYSTEMROOT",
        "TMPDIR",
        "TZ",
        "VIRTUAL_ENV",
    }
)
# of each run its own; the folder's name is short, because sockets of worker processes lie below it
_FOLDERS = {"TMPDIR": "tmp", "TEMP": "tmp", "TMP": "tmp", "XDG_CACHE_HOME": "cache"}
_HOME = {"HOME": "home"}
PASSED_PREFIXES = ("LC_", "SBIR_GATE__")
# a setting such as a webhook address may come as SBIR_GATE__...: its prefix does not make it harmless
_SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY|CREDENTIAL|WEBHOOK|^ACTIONS_|^INPUT_",
    re.IGNORECASE,
)


def python_of_caller(folder: Path, environment: Mapping[str, str], prefix: str = sys.prefix) -> str:
    """Return the interpreter that an engine runs on where no setting names one.

    It is the one that runs this program if that is installed in `.venv` of `folder`, the project's own
    environment; else `python3` on the PATH of the caller, because the program may be installed in an
    environment of its own (the action, pipx). The rule looks at nothing else that a change could bring along.
    """
    own = folder / ".venv"
    if own.exists() and own.samefile(prefix):
        return sys.executable
    return shutil.which("python3", path=environment.get("PATH")) or sys.executable


def is_secret_name(name: str) -> bool:
    """Say whether the name of a variable looks like that of a secret."""
    return _SECRET.search(name) is not None


def scrubbed_environment(environment: Mapping[str, str], pass_environment: Sequence[str]) -> dict[str, str]:
    """Return what the enricher may see: the allow-list and the names that the configuration adds.

    Raises ConfigurationError if an added name looks like a secret.
    """
    for name in pass_environment:
        if is_secret_name(name):
            raise ConfigurationError(
                f"enricher.pass_environment: {name!r} looks like a secret",
                "the code under test must not see secrets: give it the data as files",
            )
    added = frozenset(pass_environment)
    return {
        name: value
        for name, value in environment.items()
        if name in added
        or (not is_secret_name(name) and (name in PASSED_NAMES or name.startswith(PASSED_PREFIXES)))
    }


def private_folders(folder: Path, pass_environment: Sequence[str], *, has_home: bool) -> dict[str, str]:
    """Make the folders of one run for temporary files and caches below `folder`; return their variables.

    With `has_home` the home folder is one of them. A variable that `pass_environment` names stays the
    caller's: whoever runs the gate wants the engine to find what lies there.
    """
    names = {**_FOLDERS, **(_HOME if has_home else {})}
    paths = {name: folder / place for name, place in names.items() if name not in pass_environment}
    for path in paths.values():
        path.mkdir(mode=0o700, exist_ok=True)
    return {name: str(path) for name, path in paths.items()}
