"""Make the environment that the action runs in, apart from the user's; fast where it is there already.

    python3 -I set_up.py where      prints where it is to be, for the cache, as outputs of a step
    python3 -I set_up.py install    makes it, unless it is whole already

Only the standard library: nothing is installed yet. It is made of requirements.lock alone, each file checked
by its hash: by uv where that is allowed, else by pip. Jobs of one machine share it: one makes it, and the
others wait. The action's own code is not copied: an interpreter of the job's own knows where both lie.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ACTION = Path(__file__).resolve().parents[2]
LOCK = ACTION / "requirements.lock"
INSTALLER = ACTION / ".github" / "action" / "installer.txt"
OLDEST = (3, 11)
NAMES = ("python3", "python3.14", "python3.13", "python3.12", "python3.11", "python")
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", "install", "--require-hashes")


def main() -> None:
    """Do what the command line says."""
    python = usable_python()
    environment = place_of(python)
    if sys.argv[1:] == ["where"]:
        print_outputs(environment)
    elif sys.argv[1:] == ["install"]:
        install(python, environment)
    else:
        raise SystemExit(__doc__)


def usable_python() -> str:
    """Return an interpreter that is new enough: this one, or another on the PATH."""
    if sys.version_info >= OLDEST:
        return sys.executable
    for name in NAMES:
        found = shutil.which(name)
        if found and run([found, "-I", "-c", f"import sys; sys.exit(sys.version_info < {OLDEST})"]) == 0:
            return found
    raise SystemExit(
        "::error::sbir-gate needs Python 3.11 or later, and there is none on the PATH: "
        "put actions/setup-python before it"
    )


def place_of(python: str) -> Path:
    """Return the folder of the environment: named after all that it depends on, outside of the checkout."""
    version = subprocess.run(
        [python, "-I", "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=True
    ).stdout
    facts = [version, sysconfig.get_platform(), LOCK.read_text(encoding="utf-8")]
    digest = hashlib.sha256("\0".join(facts).encode()).hexdigest()[:20]
    root = os.environ.get("RUNNER_TOOL_CACHE") or os.environ["RUNNER_TEMP"]
    if not os.access(root, os.W_OK):
        root = os.environ["RUNNER_TEMP"]
    return Path(root) / "sbir-gate" / digest


def print_outputs(environment: Path) -> None:
    """Tell the other steps where the environment is, and by which key the cache knows it."""
    outputs = {
        "environment": str(environment),
        "python": str(own_place(environment) / "bin" / "python"),
        "key": f"sbir-gate-{platform.system()}-{platform.machine()}-{environment.name}",
        "is-ready": str(is_ready(environment)).lower(),
    }
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in outputs.items())


def is_ready(environment: Path) -> bool:
    """Say whether the environment was finished: the mark is made last."""
    return (environment / "ready").is_file() and run(
        [str(environment / "bin" / "python"), "-I", "-c", ""]
    ) == 0


def install(python: str, environment: Path) -> None:
    """Make the environment unless it is whole, and the job's own interpreter."""
    with locked(environment):
        if not is_ready(environment):
            make_environment(python, environment)
        make_own_place(python, environment)


def make_own_place(python: str, environment: Path) -> None:
    """Make the job's own interpreter, unless another step or job here has made it and may be using it."""
    own = own_place(environment)
    paths = [*environment.glob("lib/python*/site-packages"), ACTION]
    text = "".join(f"{path}\n" for path in paths)
    if any(mark.read_text("utf-8") == text for mark in own.glob("lib/python*/site-packages/*_action.pth")):
        return
    check(
        [python, "-I", "-m", "venv", "--clear", "--without-pip", str(own)], "python3 cannot make environments"
    )
    (packages,) = own.glob("lib/python*/site-packages")
    (packages / "sbir_gate_action.pth").write_text(text, encoding="utf-8")


def own_place(environment: Path) -> Path:
    """Return the folder of the job's own interpreter: two versions of the action in one job have two."""
    digest = hashlib.sha256(str(ACTION).encode()).hexdigest()[:8]
    return Path(os.environ["RUNNER_TEMP"]) / f"sbir-gate-{environment.name}-{digest}"


def make_environment(python: str, environment: Path) -> None:
    """Install what the lock lists; the mark that it is whole is made last."""
    shutil.rmtree(environment, ignore_errors=True)
    own = str(environment / "bin" / "python")
    check([python, "-I", "-m", "venv", str(environment)], "python3 cannot make environments")
    if os.environ.get("SBIR_GATE_INPUT_INSTALLER") == "pip" or not installed_by_uv(own):
        check([own, *PIP, "--requirement", str(LOCK)], "the dependencies cannot be installed")
    (environment / "ready").touch()
    print(f"made {environment}")


@contextmanager
def locked(environment: Path) -> Iterator[None]:
    """Let no other job of this machine make the environment while the block runs; the kernel unlocks it."""
    environment.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{environment}.lock").open("w", encoding="utf-8") as file:
        with suppress(OSError):  # a file system without locks has one job, as far as anybody can know
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def installed_by_uv(own: str) -> bool:
    """Say whether uv could install all; it knows fewer settings of proxies and mirrors than pip does."""
    sync = ("-I", "-m", "uv", "pip", "sync", "--quiet", "--python", own, "--require-hashes", str(LOCK))
    if run([own, *PIP, "--requirement", str(INSTALLER)]) == 0 and run([own, *sync]) == 0:
        return True
    print("uv could not install the dependencies: pip tries")
    return False


def run(command: list[str]) -> int:
    """Return the status that the command ends with."""
    return subprocess.run(command, check=False).returncode


def check(command: list[str], problem: str) -> None:
    """Run the command, and end with the problem if it fails."""
    if status := run(command):
        raise SystemExit(f"::error::sbir-gate could not be set up: {problem} (status {status})")


if __name__ == "__main__":
    main()
