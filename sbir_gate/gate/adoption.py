"""Whether a commit has the gate that is measured: a gate that is new has nothing to be compared with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sbir_gate.gate.storing.baselines import baseline_path
from sbir_gate.gate.storing.revisions import Revision
from sbir_gate.settings.base_settings import COMMAND
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.entries import Fault, Layer, configuration_error
from sbir_gate.settings.layers import MAX_FILE_BYTES
from sbir_gate.settings.repository_file import NAME, PROJECT, settings_place
from sbir_gate.settings.workflows import FOLDER

_USES_THE_GATE = re.compile(rb"sbir[-_]gate")


def settings_path_at(revision: Revision, named: Path | None) -> str | None:
    """Return the settings file at a commit, from the top of the repository; None if it has none.

    It is the file `named`, which must lie in the repository, or the one that the commit itself would find.
    Raises ConfigurationError for a pyproject.toml that does not clearly name one.
    """
    if named is not None:
        place = revision.place_of(named)
        return place if place is not None and revision.blob(place) is not None else None
    blob = revision.blob(PROJECT)
    project = revision.read(blob, MAX_FILE_BYTES) if blob is not None else None
    found = settings_place(revision.blob(NAME) is not None, project, f"{PROJECT} at {revision.name}")
    if isinstance(found, Fault):
        raise configuration_error([found])
    return found


def has_gate(
    revision: Revision, named: Path | None, own: EffectiveSettings, operator: Sequence[Layer]
) -> bool:
    """Say whether a commit has the gate whose settings in the working tree are `own`.

    A settings file that the operator names (`named`) must be there. One that is found without being named
    does not make a gate new by itself, or any change could leave the gate by adding one: the commit has the
    gate too if it has its baseline, if one of its workflows uses sbir-gate, or if `operator` (the layers set
    from outside) names the engine.
    """
    if own.file is None or revision.place_of(own.file) is None:
        return True  # what is not in the repository does not come with a change
    if settings_path_at(revision, named) is not None:
        return True
    if named is not None:
        return False
    return (
        any(entry.key == COMMAND for layer in operator for entry in layer.entries)
        or _has_baseline(revision, own)
        or _has_workflow(revision)
    )


def _has_baseline(revision: Revision, own: EffectiveSettings) -> bool:
    gate = own.settings.gate
    place = revision.place_of(baseline_path(gate.baselines_folder, gate.name))
    return place is not None and revision.blob(place) is not None


def _has_workflow(revision: Revision) -> bool:
    files = revision.read_many(revision.blobs_in(FOLDER.as_posix()), MAX_FILE_BYTES)
    return any(_USES_THE_GATE.search(content) for _, content in files)
