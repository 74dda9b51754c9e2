"""The types of the values in settings, inputs and waivers: what each allows, and what its error says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from sbir_gate.model.matches import Method
from sbir_gate.model.run import GATE_NAME, MOST_GATE_CHARACTERS
from sbir_gate.remote_paths import is_address

# what a shell would not pass on: signs between commands, redirections, and what it replaces
_SHELL_SIGN = re.compile(r"&&|\|\||>>|[;|&<>`]|\$(?:[({]|\w+)", re.ASCII)
_QUOTED = re.compile(r"\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=", re.ASCII)
# in a list, where a lone | or ; may be a delimiter that a program is given
_JOINING = frozenset({"&&", "||", ">", ">>", "<", "2>", "2>&1"})


def fault(allowed: str, **context: object) -> PydanticCustomError:
    """Return the error for a value, with what is allowed.

    In the context, `sibling` is the other key of two that are at odds, `names` are all values allowed,
    `hint` is the fix.
    """
    return PydanticCustomError("setting", "{allowed}", {"allowed": allowed, **context})


def not_below(sibling: str) -> AfterValidator:
    """Return a check that a limit is not below the field `sibling`, which is declared before it."""

    def check(value: float | None, info: ValidationInfo) -> float | None:
        floor = info.data.get(sibling)
        if value is not None and floor is not None and value < floor:
            raise fault(f"must not be below {sibling}, which is {floor}", sibling=sibling)
        return value

    return AfterValidator(check)


def _path(value: object) -> object:
    if isinstance(value, Path):
        return value
    if isinstance(value, str) and not value.strip():
        raise fault("must not be empty: name a path")
    if not isinstance(value, str) or "\0" in value:
        raise fault("must be a path (put a number in quotes)")
    if is_address(value):
        raise fault("must be a path on this machine, not an address")
    return Path(value)


def one_of(*members: str) -> BeforeValidator:
    """Return a conversion of text to the member that it is the value of: of an enum, or a literal type."""

    def member(value: object) -> object:
        if value not in members:
            raise fault(f"must be one of {', '.join(members)}", names=members)
        return members[members.index(value)]

    return BeforeValidator(member)


def matching(pattern: str, allowed: str) -> AfterValidator:
    """Return a check that a whole text is of a pattern; `allowed` says so in plain words."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise fault(f"must be {allowed}")
        return text

    return AfterValidator(check)


def split_command(text: str) -> tuple[str, ...]:
    """Split a command line as a shell would, which is all that is done as a shell would.

    Raises the error of a value for unbalanced quotes, and for a sign that only a shell understands, unless it
    is quoted: it would be an argument like any other.
    """
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise fault(f"must be a command line ({error})") from error
    sign = _SHELL_SIGN.search(_QUOTED.sub("_", text))
    if sign is not None:
        raise _needs_shell(sign[0])
    if words and _ASSIGNMENT.match(words[0]):
        raise fault("must begin with a program, not with a variable", hint=f"write: env {words[0]} ...")
    return words


def _needs_shell(sign: str) -> PydanticCustomError:
    return fault(
        f"must be one command: it is started without a shell, which {sign} needs",
        hint=f"write these steps into a script and name it, or quote {sign} if it is an argument",
    )


def _command(value: object) -> object:
    """Split a command line; a list of arguments is taken as it is, but for what joins commands."""
    if isinstance(value, str):
        return split_command(value)
    if isinstance(value, list | tuple):
        sign = next((word for word in value if isinstance(word, str) and word in _JOINING), None)
        if sign is not None:
            raise _needs_shell(sign)
    return value


def _runnable(command: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if command is not None and (not command or not command[0].strip()):
        raise fault("must name a program, or be null for the built-in engine")
    if command is not None and any("\0" in argument for argument in command):
        raise fault("must not hold a NUL character")
    return command


def _some(values: tuple[str, ...]) -> tuple[str, ...]:
    # not Field(min_length): that would count the wrong items out and report a second, untrue fault
    if not values:
        raise fault("must name at least one")
    return values


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise fault("must not name anything twice")
    return values


def _relative(name: str) -> str:
    if not name.strip() or Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name:
        raise fault("must be a path within the folder in which sbir-gate is called")
    return name


def _source(pattern: str) -> str:
    if not pattern.strip() or pattern.startswith("/") or ".." in Path(pattern).parts or "\0" in pattern:
        raise fault("must be a file, folder or pattern of the repository, from its top, as in engine/**")
    return pattern


SOME, DISTINCT = AfterValidator(_some), AfterValidator(_distinct)
Share = Annotated[float, Field(ge=0, le=1)]
OpenShare = Annotated[float, Field(gt=0, lt=1)]
Percent = Annotated[float, Field(ge=0)]
Seconds = Annotated[float, Field(gt=0, le=604_800)]  # a week: a longer wait is a slip of the hand
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
PathValue = Annotated[Path, BeforeValidator(_path)]
MatchMethod = Annotated[Method, one_of(*(method for method in Method if method is not Method.NONE))]
Command = Annotated[tuple[str, ...] | None, BeforeValidator(_command), AfterValidator(_runnable)]
SourcePattern = Annotated[str, AfterValidator(_source)]
RelativeName = Annotated[str, AfterValidator(_relative)]
VariableName = Annotated[
    str, matching(r"[A-Za-z_][A-Za-z0-9_]*", "the name of a variable: letters, digits and _")
]
GateName = Annotated[
    str,
    matching(GATE_NAME, "lower-case letters, digits and single hyphens"),
    Field(max_length=MOST_GATE_CHARACTERS),
]
# no more than that it is text: `reading.addresses` checks it, and shows nothing that is secret in it
Url = Annotated[str, Field(min_length=1, max_length=4000)]
Login = Annotated[
    str, matching(r"[A-Za-z0-9][A-Za-z0-9_-]*(\[bot\])?", "a login on GitHub"), Field(max_length=100)
]
WebUrl = Annotated[
    str, matching(r"https?://[^\s/]+[^\s]*", "an http or https address"), Field(max_length=1000)
]
Cron = Annotated[
    str,
    matching(
        r"[0-9*/,-]+( [0-9*/,-]+){2}( [0-9A-Za-z*/,-]+){2}",
        "five fields of cron: minute, hour, day, month, weekday, as in 0 6 * * 1",
    ),
]
Owner = Annotated[
    str,
    matching(r"team:\S+|[^\s@:]+@[^\s@:]+\.[^\s@:]+", "an email address or team:NAME"),
    Field(max_length=200),
]
Sha256 = Annotated[str, matching(r"[0-9a-f]{64}", "64 hexadecimal digits in lower case")]
FileSize = Annotated[int, Field(ge=1, le=1_000_000_000_000_000)]
TableName = Annotated[
    str,
    matching(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?", "a table, as table or schema.table"),
    Field(max_length=130),
]
ClusterAddress = Annotated[
    str,
    matching(
        r"local:[1-9][0-9]{0,2}|(tcp|tls)://([^\s/:]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}",
        "local:N for N workers here, or the address of a Dask scheduler, as tcp://HOST:8786",
    ),
]
_METRIC_NAME = r"[a-z][a-z0-9_-]*(/[a-z0-9_-]+)*"
MetricName = Annotated[
    str, matching(_METRIC_NAME, "a metric, as recall or links/uei-exact"), Field(max_length=80)
]
LimitName = Annotated[
    str,
    matching(rf"{_METRIC_NAME}(/\*)?", "a metric, as recall, or links/* for every metric of a group"),
    Field(max_length=80),
]


_RENAMABLE = ("work/", "stage_seconds/", "stage_peak_mib/", "links/")


def _renaming(text: str) -> str:
    old, arrow, new = (part.strip() for part in text.partition("->"))
    group = next((group for group in _RENAMABLE if old.startswith(group)), None)
    is_named = all(re.fullmatch(_METRIC_NAME, name) for name in (old, new))
    if not arrow or not is_named or group is None or not new.startswith(group) or old == new:
        raise fault(f"must be 'old -> new', two names that begin alike with one of {', '.join(_RENAMABLE)}")
    return f"{old} -> {new}"


def _one_to_one(values: tuple[str, ...]) -> tuple[str, ...]:
    names = [name for value in values for name in value.split(" -> ")]
    if len(set(names)) < len(names):
        raise fault("must not name a metric twice")
    return values


_Renaming = Annotated[str, Field(max_length=200), AfterValidator(_renaming)]
Renamings = Annotated[tuple[_Renaming, ...], AfterValidator(_one_to_one)]
