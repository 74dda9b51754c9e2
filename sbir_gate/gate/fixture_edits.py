"""The fixture of a change's base, as it stood at the commit, where the change has another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sbir_gate.errors import InputError
from sbir_gate.gate.storing.revisions import Blob, Revision, file_sha256
from sbir_gate.reading.files import resolve_files
from sbir_gate.reading.sources import source_paths
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.reading import reading_options
from sbir_gate.settings.schema import FixturesSettings

_NEEDED = ("awards", "recipients")
_OPTIONAL = ("truth", "draw")
_SOURCES = (*_NEEDED, *_OPTIONAL)


@dataclass(frozen=True, slots=True)
class BaseFixture:
    """The fixture that the settings of a commit name: `files` are those of each source that the commit has.

    What neither it nor HEAD has, or what lies outside of the repository, is the operator's: the same for
    base and head. `is_whole` is False where there are no awards or recipients, so that nothing can be judged.
    """

    revision: Revision
    names: FixturesSettings
    files: Mapping[str, tuple[Blob, ...]]
    is_whole: bool = True

    def settings_in(self, folder: Path, effective: EffectiveSettings) -> EffectiveSettings:
        """Write the files into a folder and return the settings with them as the fixture.

        Raises InputError for a file of Git LFS whose content is not on this machine, OutputError.
        """
        paths: dict[str, Path | None] = {}
        for name, source in _sources(self.names).items():
            blobs = self.files[name]
            for blob in blobs:
                self.revision.write(blob, folder / blob.path, self.revision.root / blob.path)
            place = self.revision.place_of(source) if blobs else None
            paths[name] = source if place is None else folder / place
        fixtures = self.names.model_copy(update={**dict.fromkeys(_SOURCES), **paths})
        return EffectiveSettings(
            effective.settings.model_copy(update={"fixtures": fixtures}), effective.origins
        )


def edited_fixture(
    revision: Revision, names: FixturesSettings, effective: EffectiveSettings
) -> BaseFixture | None:
    """Return the fixture of the commit, whose settings give its `names`; None if head's files are the same.

    Files in Git LFS are compared by their content. Raises InputError for what git cannot say.
    """
    own, theirs = _sources(effective.settings.fixtures), _sources(names)
    files: dict[str, tuple[Blob, ...]] = {}
    before: dict[str, list[str]] = {}
    for name, source in theirs.items():
        place = revision.place_of(source)
        files[name] = revision.files_of(place) if place is not None else ()
        before[name] = [revision.sha256(blob) for blob in files[name]]
        if not files[name] and not (place is not None and replace(revision, commit="HEAD").files_of(place)):
            before[name] = _digests_here(source, effective)
    after = {name: _digests_here(source, effective) for name, source in own.items()}
    if all(before.get(name, []) == after.get(name, []) for name in _SOURCES):
        return None
    there = {name: source for name, source in theirs.items() if before[name]}
    is_whole = all(name in there for name in _NEEDED)
    return BaseFixture(
        revision, names.model_copy(update={name: there.get(name) for name in _OPTIONAL}), files, is_whole
    )


def _sources(fixtures: FixturesSettings) -> dict[str, Path]:
    found: dict[str, Path | None] = {name: getattr(fixtures, name) for name in _SOURCES}
    return {name: source for name, source in found.items() if source is not None}


def _digests_here(source: Path, effective: EffectiveSettings) -> list[str]:
    try:
        files = resolve_files(str(source))
    except InputError:  # measuring reports it with a hint; here it is only a missing file
        return []
    paths = [path for file in files for path in source_paths(file, reading_options(effective.settings))]
    return [file_sha256(path) for path in paths]
