"""Which files of the fixture differ from those of a commit, by the SHA-256 of their bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sbir_gate.errors import InputError
from sbir_gate.model.verdict import PolicyEdit
from sbir_gate.pipeline.enrichment import reading_options
from sbir_gate.reading.files import PARQUET_SUFFIXES, TEXT_SUFFIXES, resolve_files
from sbir_gate.reading.sources import source_paths
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.storing.revisions import Revision, file_sha256, matches

NOT_THERE = "not there"


def fixture_edits(revision: Revision, own: EffectiveSettings) -> list[PolicyEdit]:
    """Return one edit for each file of awards, recipients or truth that the commit has otherwise, or not.

    Files outside the repository are the operator's. Files in Git LFS are compared by what they stand for.
    """
    fixtures = own.settings.fixtures
    edits = {}
    for source in filter(None, (fixtures.awards, fixtures.recipients, fixtures.truth)):
        here = dict(_files_here(revision, source, own))
        for path in dict.fromkeys([*here, *_files_there(revision, source)]):
            blob = revision.blob(path)
            before = revision.sha256(blob) if blob else NOT_THERE
            after = file_sha256(here[path]) if path in here else NOT_THERE
            if before != after:
                edits[path] = PolicyEdit(path, _shown(before), _shown(after))
    return list(edits.values())


def _files_here(revision: Revision, source: Path, own: EffectiveSettings) -> Iterator[tuple[str, Path]]:
    try:
        files = resolve_files(str(source))
    except InputError:  # measuring says it, with its cure; here it is only a file that is not there
        return
    for file in files:
        for path in source_paths(file, reading_options(own.settings)):
            place = revision.place_of(path)
            if place is not None:
                yield place, path


def _files_there(revision: Revision, source: Path) -> Iterator[str]:
    place = revision.place_of(source)
    if place is None:
        return
    # the folder in which a pattern first stands for something bounds what git has to list
    fixed = place.partition("*")[0].rpartition("/")[0] if "*" in place else place
    for blob in revision.blobs_in(fixed):
        if blob.path == place or (
            matches(place, blob.path) and blob.path.lower().endswith((*TEXT_SUFFIXES, *PARQUET_SUFFIXES))
        ):
            yield blob.path


def _shown(sha256: str) -> str:
    return sha256 if sha256 == NOT_THERE else f"sha256 {sha256[:12]}"
