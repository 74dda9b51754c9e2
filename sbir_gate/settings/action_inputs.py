"""The inputs of the GitHub Action: texts in the environment, all checked at once, named as in action.yml."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from sbir_gate.settings.entries import Entry, configuration_error
from sbir_gate.settings.validation import value_fault
from sbir_gate.settings.values import GateName, one_of, split_command

INPUT_PREFIX = "SBIR_GATE_INPUT_"
_MAX_CHARACTERS = 4000


class InputMode(StrEnum):
    """What the action is to do; `auto` goes by the event."""

    AUTO = "auto"
    PR = "pr"
    BASELINE = "baseline"
    FULL = "full"
    COMMENT = "comment"


class FailOn(StrEnum):
    """The mildest verdict that fails the job."""

    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOTHING = "nothing"


class Promotion(StrEnum):
    """How a Run of the main branch becomes the baseline."""

    COMMIT = "commit"
    PULL_REQUEST = "pull-request"
    NOTHING = "nothing"


class Installer(StrEnum):
    """What makes the action's own environment (.github/action/set_up.py)."""

    UV = "uv"
    PIP = "pip"


def _yes_or_no(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("must be true or false, in quotes")
    return text == "true"


def _one_line(text: str) -> str:
    if len(text) > _MAX_CHARACTERS or any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError(f"must be one line of at most {_MAX_CHARACTERS:,} characters")
    return text


def _command(text: str) -> str:
    split_command(text)
    return text


def _ref(text: str) -> str:
    if text.startswith("-"):
        raise ValueError("must be a branch, a tag or a commit")
    return text


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _folder(text: str) -> Path | None:
    """Return a folder below the top of the checkout; None for the top itself."""
    if Path(text).is_absolute() or ".." in Path(text).parts:
        raise ValueError("must be a folder within the checkout, from its top, as in teams/linking")
    return Path(text) if Path(text).parts else None


def _dataset(text: str) -> str:
    if text not in {"sample", "full"} and not text.startswith("https://"):
        raise ValueError("must be sample, full, or an https address of recipients")
    return text


Line = Annotated[str, AfterValidator(_one_line)]
Flag = Annotated[bool, BeforeValidator(_yes_or_no)]
OptionalFolder = Annotated[Path | None, BeforeValidator(lambda text: _folder(_one_line(text)))]
OptionalPath = Annotated[Path | None, BeforeValidator(lambda text: _path(_one_line(text)))]


class ActionInputs(BaseModel):
    """What a workflow says under `with:`; an empty text is an input that was left out.

    The defaults are in action.yml, and here for manual calls; a test compares them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Annotated[InputMode, one_of(*InputMode)] = InputMode.AUTO
    working_directory: OptionalFolder = None
    config: OptionalPath = None
    gate: GateName = ""
    base: Annotated[Line, AfterValidator(_ref)] = ""
    side_by_side: Flag = True
    enricher: Annotated[Line, AfterValidator(_command)] = ""
    python: OptionalPath = None
    dataset: Annotated[Line, AfterValidator(_dataset)] = "sample"
    fail_on: Annotated[FailOn, one_of(*FailOn)] = FailOn.FAIL
    comment: Flag = True
    check: Flag = True
    artifact: Flag = True
    untrusted: OptionalPath = None
    history_branch: Annotated[Line, AfterValidator(_ref)] = "sbir-gate-history"
    promote: Annotated[Promotion, one_of(*Promotion)] = Promotion.COMMIT
    installer: Annotated[Installer, one_of(*Installer)] = Installer.UV
    timeout_minutes: Annotated[float, Field(gt=0, le=1440, allow_inf_nan=False)] = 30.0


def input_name(field: str) -> str:
    """Return what an input is called in action.yml."""
    return field.replace("_", "-")


def variable_name(field: str) -> str:
    """Return the variable that an input arrives in."""
    return INPUT_PREFIX + field.upper()


def read_inputs(environment: Mapping[str, str]) -> ActionInputs:
    """Return the inputs; one that is empty or not there takes its default.

    Raises ConfigurationError with a line for each fault.
    """
    found = {
        field: value
        for field in ActionInputs.model_fields
        if (value := environment.get(variable_name(field), "").strip())
    }
    # an input that may be switched off with an empty text is off, not at its default
    if environment.get(variable_name("history_branch")) == "":
        found["history_branch"] = ""
    try:
        return ActionInputs.model_validate(found)
    except ValidationError as error:
        faults = [
            value_fault(Entry("", None, f"input {input_name(str(fault['loc'][0]))}"), fault)
            for fault in error.errors()
        ]
    raise configuration_error(faults, "'sbir-gate help github-action' describes the inputs")
