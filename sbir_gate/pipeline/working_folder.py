"""Where a step of the action works: the folder of input working-directory, and names that tell jobs apart."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from sbir_gate.errors import UsageError
from sbir_gate.settings.action_inputs import ActionInputs
from sbir_gate.settings.repository_file import NAME

TOP_VARIABLE = "GITHUB_WORKSPACE"
LEG_VARIABLE, LEGS_VARIABLE = "SBIR_GATE_LEG", "SBIR_GATE_LEGS"
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]+", re.ASCII)
_NAME_CHARACTERS = 60
_DIGEST_CHARACTERS = 8


def working_folder(inputs: ActionInputs, environment: Mapping[str, str]) -> Path | None:
    """Return the folder that the input names; None if it names none.

    Raises UsageError if it is not there, and for a symbolic link on the way: a change could lead the gate
    out of the checkout with it, or to the folder of a milder gate.
    """
    named = inputs.working_directory
    if named is None:
        return None
    top = environment.get(TOP_VARIABLE, "")
    if not top:
        raise UsageError(
            f"${TOP_VARIABLE} is not set: not running on a GitHub runner", "call 'sbir-gate run' instead"
        )
    folder = Path(top).resolve() / named
    if folder.resolve() != folder:
        raise UsageError(
            f"input working-directory: {named} is a symbolic link, or leads through one",
            "name the folder that it leads to, which must be in the checkout",
        )
    if not folder.is_dir():
        raise UsageError(
            f"input working-directory: the checkout has no folder {named}",
            "name a folder from the top of the checkout, and put actions/checkout before the action",
        )
    return folder


def seen_from_folder(inputs: ActionInputs, *, is_entered: bool) -> ActionInputs:
    """Return the inputs with the settings file of the working folder: sbir-gate.yaml unless config names one.

    `is_entered` says that the process runs in the folder. Where it could not be entered, the file keeps its
    place from the top: the base of a change may have it there.
    """
    folder = inputs.working_directory
    if folder is None:
        return inputs
    config = inputs.config or Path(NAME)
    return inputs.model_copy(update={"config": config if is_entered else folder / config})


def job_key(inputs: ActionInputs, environment: Mapping[str, str]) -> str:
    """Return a name of this job in its run: of its id, its leg of a matrix, and the working folder.

    It stays the same when the job is run again.
    """
    parts = [plain_name(environment.get("GITHUB_JOB", "")) or "job"]
    if environment.get(LEGS_VARIABLE, "1") != "1":
        parts.append(plain_name(environment.get(LEG_VARIABLE, "")))
    return "-".join(filter(None, [*parts, folder_name(inputs)]))


def folder_name(inputs: ActionInputs) -> str:
    """Return the working folder as a part of a name, empty for the top of the checkout."""
    return plain_name(inputs.working_directory.as_posix()) if inputs.working_directory else ""


def plain_name(text: str) -> str:
    """Return a text as a part of a file's name: where it cannot be one as it is, with a digest.

    So no two texts share a name, as a/b-c and a-b/c would without the digest.
    """
    plain = _NOT_IN_A_NAME.sub("-", text)[:_NAME_CHARACTERS]
    if plain == text:
        return plain
    return f"{plain}-{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:_DIGEST_CHARACTERS]}"
