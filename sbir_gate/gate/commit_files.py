"""What a commit holds of a gate: its settings, waivers and baseline, as they were there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sbir_gate.errors import Fault
from sbir_gate.gate.storing.baselines import baseline_path, committed_baseline, load_baseline
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.merge_base import BaseName, find_base
from sbir_gate.gate.storing.revisions import Revision
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import PolicyEdit
from sbir_gate.model.waiver import Waiver
from sbir_gate.settings.base_settings import COMMAND
from sbir_gate.settings.commit_policy import settings_of_commit
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.entries import Layer, configuration_error
from sbir_gate.settings.layers import (
    MAX_FILE_BYTES,
    assignment_layer,
    base_file,
    base_layer,
    environment_layer,
    file_layer,
    option_layer,
    text_layer,
)
from sbir_gate.settings.repository_file import settings_place
from sbir_gate.settings.waivers import load_waivers, read_waivers
from sbir_gate.settings.workflows import FOLDER

NOT_THERE = "not there"
SETTINGS_FILE = "settings file"
NEW = "new: there is nothing to hold it against"


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """From which commit the policy shall come, and the layers of settings that were asked for.

    `base` names a branch or commit; the commit is the one in which HEAD left it. `folder` is where paths of
    the settings start.
    """

    base: BaseName
    folder: Path
    config_file: Path | None
    environment: Mapping[str, str]
    options: Mapping[str, object]
    assignments: Sequence[str]
    git_in: Callable[[Path], Git] = Git


def commit_settings(request: PolicyRequest) -> EffectiveSettings:
    """Return all settings as they stood at the request's commit, whatever the working tree has.

    Raises UsageError where git has no such commit, ConfigurationError for what cannot be read there.
    """
    revision = find_base(request.git_in(request.folder), request.base).revision
    layers = layers_at(request, revision, None).layers
    return settings_of_commit(layers, layers, operator_layers(request)).effective


def operator_layers(request: PolicyRequest) -> list[Layer]:
    """Return what was set from outside, the lowest first: it holds for both sides."""
    return [
        environment_layer(request.environment),
        assignment_layer(request.assignments),
        option_layer(request.options),
    ]


@dataclass(frozen=True, slots=True)
class CommitLayers:
    """The layers of settings of a commit, and what head edits of its settings file.

    `is_new` says that the commit has no such gate: the layers are those of the working tree.
    """

    layers: Sequence[Layer]
    edits: Sequence[PolicyEdit] = ()
    is_new: bool = False


def layers_at(request: PolicyRequest, revision: Revision, own: EffectiveSettings | None) -> CommitLayers:
    """Return base.yaml and the settings file as they stood at the commit, and what `own` changes of which.

    What lies outside the repository is the operator's and is taken as it is: so is the base.yaml of an
    installed sbir-gate. The settings file of a gate that the commit does not have yet counts as it is.
    """
    base = _layer_at(revision, base_file()) or base_layer()
    named, own_file = request.config_file, own.file if own is not None else request.config_file
    if named is not None and revision.place_of(named) is None:
        return CommitLayers([base, file_layer(named)])
    before = settings_path_at(revision, named)
    after = revision.place_of(own_file) if own_file is not None else None
    edits = (
        []
        if own is None or before == after
        else [PolicyEdit(SETTINGS_FILE, before or NOT_THERE, after or NOT_THERE)]
    )
    if before is not None:
        layer = _layer_at(revision, revision.root / before)
        return CommitLayers([base, *([layer] if layer is not None else [])], edits)
    if own_file is None or (own is not None and has_gate(revision, named, own, operator_layers(request))):
        return CommitLayers([base], edits)
    new = PolicyEdit(after or str(own_file), NOT_THERE, NEW)
    return CommitLayers([base, file_layer(own_file)], [new], is_new=True)


def _layer_at(revision: Revision, path: Path) -> Layer | None:
    content = _content_at(revision, path, MAX_FILE_BYTES)
    return None if content is None else text_layer(content, _name_at(revision, path))


def _content_at(revision: Revision, path: Path, max_bytes: int) -> bytes | None:
    """Return the bytes of a file at the commit; None if it is not there, or outside the repository."""
    place = revision.place_of(path)
    blob = revision.blob(place) if place is not None else None
    return None if blob is None else revision.read(blob, max_bytes)


def _name_at(revision: Revision, path: Path) -> str:
    return f"{revision.place_of(path)} at {revision.name}"


def waivers_at(revision: Revision, effective: EffectiveSettings) -> tuple[Waiver, ...]:
    """Return the commit's waivers. Those that a change brings along must not excuse the change itself."""
    path = effective.settings.gate.waivers_file
    if revision.place_of(path) is None:
        return load_waivers(path, is_required=True)
    content = _content_at(revision, path, MAX_FILE_BYTES)
    return () if content is None else read_waivers(content, _name_at(revision, path))


def baseline_at(revision: Revision, effective: EffectiveSettings) -> Run | None:
    """Return the commit's baseline, None if it has none. Raises DocumentError for one that cannot be read."""
    gate = effective.settings.gate
    path = baseline_path(gate.baselines_folder, gate.name)
    place = revision.place_of(path)
    if place is None:
        return load_baseline(gate.baselines_folder, gate.name)
    return committed_baseline(revision, place, gate.name)


_USES_THE_GATE = re.compile(rb"sbir[-_]gate")


def settings_path_at(revision: Revision, named: Path | None) -> str | None:
    """Return the settings file at a commit, from the top of the repository; None if it has none.

    It is the file `named`, which must lie in the repository, or the one that the commit itself would find.
    Raises ConfigurationError for a pyproject.toml that does not clearly name one.
    """
    if named is not None:
        place = revision.place_of(named)
        return place if place is not None and revision.blob(place) is not None else None
    here = revision.place_of(Path.cwd())

    def content(path: str) -> bytes | None:
        blob = revision.blob(path)
        return revision.read(blob, MAX_FILE_BYTES) if blob is not None else None

    found = settings_place(
        PurePosixPath(here or ""),
        lambda path: revision.blob(path) is not None,
        content,
        lambda path: f"{path} at {revision.name}",
    )
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
