"""The layers of the settings, lowest first: base.yaml, a file, the environment, the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sbir_gate.errors import Fault, ToolError
from sbir_gate.files import near_miss, read_file
from sbir_gate.git_leftovers import find_leftover
from sbir_gate.settings.entries import Entry, Layer
from sbir_gate.settings.yaml_text import read_layer, read_value

VARIABLE_PREFIX = "SBIR_GATE__"
ASSIGNMENT_OPTION = "--set"
COMMAND_LINE = "command line"
MAX_FILE_BYTES = 1024 * 1024

_PACKAGE = Path(__file__).resolve().parent.parent
# a wheel carries the file inside the package; in a checkout it is in config/
_BASE_FILES = (_PACKAGE / "base.yaml", _PACKAGE.parent / "config" / "base.yaml")


def base_file() -> Path:
    """Return the one base.yaml that comes with this installation. Raises ToolError if it is not there."""
    path = next((path for path in _BASE_FILES if path.is_file()), None)
    if path is None:
        raise ToolError(f"{_BASE_FILES[0]}: no such file; it holds the defaults", "install sbir-gate again")
    return path


def base_layer() -> Layer:
    """Return the defaults, from `base_file`."""
    path = base_file()
    return file_layer(path, _base_name(path))


def is_default(origin: str) -> bool:
    """Say whether the origin of a value is a line of `base_file`."""
    return origin.startswith(f"{_base_name(base_file())}:")


def _base_name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def file_layer(path: Path, name: str = "") -> Layer:
    """Return the entries of a YAML file; `name` is what origins call it, its path if empty."""
    name = name or str(path)
    try:
        content = read_file(path, MAX_FILE_BYTES)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            return Layer(faults=(Fault("no such file", name, hint=near_miss(path) or "check the path"),))
        return Layer(faults=(Fault(f"cannot be read: {error.strerror}", name),))
    return text_layer(content, name)


def text_layer(content: bytes, name: str) -> Layer:
    """Return the entries of a YAML file whose bytes are at hand; `name` is what origins call it."""
    text = configuration_text(content, name)
    return Layer(faults=(text,)) if isinstance(text, Fault) else read_layer(text, name)


def configuration_text(content: bytes, name: str) -> str | Fault:
    """Return the text of a configuration file, or what is wrong with it."""
    if len(content) > MAX_FILE_BYTES:
        return Fault("is larger than 1 MiB: not a configuration file", name)
    leftover = find_leftover(content)
    if leftover is not None:
        return Fault(f"is {leftover.reason}", name, leftover.line, hint=leftover.hint)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Fault("is not UTF-8", name, line, hint="save the file as UTF-8")


def environment_layer(environment: Mapping[str, str]) -> Layer:
    """Return the entries of the variables named SBIR_GATE__A__B, which set the key a.b."""
    names = sorted(name for name in environment if name.upper().startswith(VARIABLE_PREFIX))
    return _layer([_variable(name, environment[name]) for name in names])


def _variable(name: str, text: str) -> Entry | Fault:
    key = name[len(VARIABLE_PREFIX) :].lower().replace("__", ".")
    if name != name.upper():
        return Fault(f"write the variable in capitals: {name.upper()}", name, column=key)
    return read_value(key, text, name)


def assignment_layer(assignments: Sequence[str]) -> Layer:
    """Return the entries of `--set KEY=VALUE` options; the last one of a key wins."""
    return _layer([_assignment(text) for text in assignments])


def _assignment(text: str) -> Entry | Fault:
    key, equals, value = text.partition("=")
    if not equals:
        return Fault("must be KEY=VALUE, as in gate.max_lost=3", ASSIGNMENT_OPTION, column=text)
    return read_value(key.strip(), value, ASSIGNMENT_OPTION)


def option_layer(options: Mapping[str, object]) -> Layer:
    """Return the entries of options for single keys; None is an option that was not given."""
    given = {key: value for key, value in options.items() if value is not None}
    return _layer(
        [
            Entry(key, tuple(value) if isinstance(value, list) else value, COMMAND_LINE)
            for key, value in given.items()
        ]
    )


def _layer(found: Sequence[Entry | Fault]) -> Layer:
    return Layer(
        tuple(item for item in found if isinstance(item, Entry)),
        tuple(item for item in found if isinstance(item, Fault)),
    )
