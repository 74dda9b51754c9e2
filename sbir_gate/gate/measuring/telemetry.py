"""The metrics that an enricher reports: the optional JSON that it writes to `{metrics}`."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from sbir_gate.errors import EnricherError, InputError
from sbir_gate.files import read_file
from sbir_gate.git_leftovers import find_leftover
from sbir_gate.model.bounds import LEAST, MOST, is_amount
from sbir_gate.model.samples import StageSample
from sbir_gate.model.strict_json import parse_json
from sbir_gate.wrong_input import broken_rule

LIMIT_BYTES = 4 * 2**20
LIMIT_NAMES = 200
_HINT = (
    'write {metrics} as {"stages": [...], "counters": {...}, "notes": {...}} (sbir-gate help engine-contract)'
)
_NAME = re.compile(r"[\w .:/+-]{1,80}", re.ASCII)


def _plain_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("a name has 1 to 80 letters, digits, blanks or any of . : / + - _")
    return name


def _measurable(value: float) -> float:
    if not is_amount(value):
        raise ValueError(f"an amount is 0, or from {LEAST:g} to {MOST:g}")
    return value


def _whole(value: object) -> object:
    """Return 1200 for 1200.0, which is how numpy and pandas write counts; anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Name = Annotated[str, AfterValidator(_plain_name)]
# strict: a text that Python would read as a number ("1_0") is none
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True), AfterValidator(_measurable)]
Count = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=2**53, strict=True)]


class _Stage(BaseModel):
    name: Name
    wall_seconds: Amount
    cpu_seconds: Amount = 0.0
    peak_rss_mib: Amount | None = None


class Telemetry(BaseModel):
    """Stages, exact work counters, notes, and the process's own start and peak size; all optional.

    Keys that are not known are passed over: an outside enricher may tell more than is asked.
    """

    model_config = ConfigDict(frozen=True)

    stages: Annotated[tuple[_Stage, ...], Field(max_length=LIMIT_NAMES)] = ()
    counters: Annotated[dict[Name, Count], Field(max_length=LIMIT_NAMES)] = {}
    notes: Annotated[dict[Name, Annotated[str, Field(max_length=500)]], Field(max_length=LIMIT_NAMES)] = {}
    start_rss_mib: Amount | None = None
    peak_rss_mib: Amount | None = None

    def stage_samples(self) -> tuple[StageSample, ...]:
        """Return the stages in the words of a Run."""
        return tuple(
            StageSample(stage.name, stage.wall_seconds, stage.cpu_seconds, stage.peak_rss_mib)
            for stage in self.stages
        )

    def highest_mib(self) -> float:
        """Return the largest reported size; 0.0 if none is reported."""
        stage_peaks = [stage.peak_rss_mib or 0.0 for stage in self.stages]
        return max([self.peak_rss_mib or 0.0, *stage_peaks])


class _Error(BaseModel):
    problem: Annotated[str, Field(max_length=2000)]
    hint: Annotated[str, Field(max_length=2000)] = ""
    path: str = ""
    line: int | None = None
    row: int | None = None
    column: str = ""
    value: str | None = None


class _Failure(BaseModel):
    error: _Error


def reported_error(path: Path) -> InputError | None:
    """Return the error of its input that the built-in engine reports instead of metrics, None for none."""
    try:
        error = _Failure.model_validate_json(read_file(path, LIMIT_BYTES)).error
    except (OSError, ValueError):
        return None
    return InputError(
        error.problem,
        error.hint,
        path=error.path,
        line=error.line,
        row=error.row,
        column=error.column,
        value=error.value,
    )


def read_telemetry(path: Path) -> Telemetry:
    """Read a metrics file; without one there are no metrics.

    Raises EnricherError naming the place of the first fault: not JSON, a negative or endless number, a
    counter that is not a whole number, a stage reported twice, too large.
    """
    try:
        text = read_file(path, LIMIT_BYTES)
    except FileNotFoundError:
        return Telemetry()
    except OSError as error:
        problem = f"the enricher's metrics cannot be read: {error.strerror}"
        raise EnricherError(problem, _HINT, path=path.name) from error
    try:
        telemetry = Telemetry.model_validate_json(text.removeprefix(BOM_UTF8))
        parse_json(text.removeprefix(BOM_UTF8).decode())  # a key that is there twice
    except ValueError as error:
        leftover = find_leftover(text)
        if leftover is not None:
            raise EnricherError(
                leftover.problem, leftover.hint, path=path.name, line=leftover.line
            ) from error
        if not isinstance(error, ValidationError):
            raise EnricherError(f"the enricher's metrics: {error}", _HINT, path=path.name) from error
        fault = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in fault["loc"])[:120]
        value = fault["input"] if key else None
        problem = f"the enricher's metrics: {broken_rule(fault)}"
        raise EnricherError(problem, _HINT, path=path.name, column=key, value=value) from error
    names = [stage.name for stage in telemetry.stages]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        problem = "the enricher's metrics: the stage is reported twice"
        raise EnricherError(problem, _HINT, path=path.name, column="stages", value=doubled[0])
    return telemetry
