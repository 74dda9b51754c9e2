"""Where the assets of the pipeline lie on disk: paths are what goes from step to step, never data."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from sbir_gate.files import unwritable
from sbir_gate.gate.conclusion import ALERTS_NAME, REPORT_NAME, VERDICT_NAME
from sbir_gate.gate.judging_history import history_folder
from sbir_gate.gate.reporting.awards_view import CHANGED_AWARDS_NAME
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.schema import Settings

_FOLDER = "dagster"
_TABLE = "enriched_sbir_awards.parquet"
_RUN = "enriched_sbir_awards.json"
_PUBLISHED = "published"
_LATEST = "latest_report"
_PROFILES = "award_profiles.parquet"


@dataclass(frozen=True, slots=True)
class ValidatedFiles:
    """The files of the validated awards, in a place of their own."""

    folder: Path

    @property
    def awards(self) -> Path:
        """The awards that could be read."""
        return self.folder / "validated_sbir_awards.parquet"

    @property
    def table(self) -> Path:
        """What is known of them."""
        return self.folder / "validated_sbir_awards.json"

    @property
    def profiles(self) -> Path:
        """The firm and the strata of each of them."""
        return self.folder / _PROFILES

    @property
    def rejects(self) -> Path:
        """The rows of awards that could not be read."""
        return self.folder / "rejected_awards.csv"


@dataclass(frozen=True, slots=True)
class EnrichedFiles:
    """The files of one enrichment, in a place of their own."""

    folder: Path

    @property
    def awards(self) -> Path:
        """The awards with what was decided of each."""
        return self.folder / _TABLE

    @property
    def run(self) -> Path:
        """The Run of the enrichment."""
        return self.folder / _RUN

    @property
    def profiles(self) -> Path:
        """The firm and the strata of each award, as the validated awards have them."""
        return self.folder / _PROFILES

    @property
    def rejects(self) -> Path:
        """The rows that could not be read while the awards were enriched."""
        return self.folder / "rejected_rows.csv"

    @property
    def metrics(self) -> Path:
        """Stages and work counters of the enrichment."""
        return self.folder / "enrichment_metrics.json"


@dataclass(frozen=True, slots=True)
class AssetFiles:
    """The folder of all assets, or of one partition of them: the places of results, and what they share."""

    folder: Path

    @property
    def validated(self) -> Path:
        """The folder of the places of validated awards."""
        return self.folder / "validated"

    @property
    def enriched(self) -> Path:
        """The folder of the places of enriched awards."""
        return self.folder / "enriched"

    @property
    def reports(self) -> Path:
        """The folder of the places of verdicts and their reports."""
        return self.folder / "reports"

    @property
    def published(self) -> Path:
        """The enriched awards that may be read: those of the last run that was not refused."""
        return self.folder / _TABLE

    @property
    def baselines(self) -> Path:
        """The folder of the Run that the next one is held against."""
        return self.folder / "baselines"

    @property
    def lock(self) -> Path:
        """The file whose lock says who judges, and writes to what the results share."""
        return self.folder / "writer.lock"

    def publish(self, enriched: EnrichedFiles) -> bool:
        """Let the published paths lead to these awards, unless they lead to later ones; say which it is.

        Raises OutputError.
        """
        published = self.folder / _PUBLISHED / _RUN
        if published.exists() and _made(published) > _made(enriched.run):
            return False
        switch(self.folder / _PUBLISHED, enriched.folder, (_TABLE, _RUN))
        return True

    def show_report(self, folder: Path) -> None:
        """Let the latest verdict and its report be found beside the published awards. Raises OutputError."""
        names = (REPORT_NAME, VERDICT_NAME, ALERTS_NAME, CHANGED_AWARDS_NAME)
        switch(self.folder / _LATEST, folder, names)


def asset_files(settings: Settings, award_year: int | None = None) -> AssetFiles:
    """Return where the assets lie, or those of one award year."""
    folder = settings.orchestration.folder or settings.reports.folder / _FOLDER
    return AssetFiles(folder if award_year is None else folder / str(award_year))


def published_places(folder: Path) -> tuple[Path, ...]:
    """Return the places that the links in the folder of the assets lead to."""
    return tuple(path.resolve() for path in (folder / _PUBLISHED, folder / _LATEST) if path.is_symlink())


def files_around(enriched: EnrichedFiles) -> AssetFiles:
    """Return the assets that enriched awards in their place belong to, whatever the settings say now."""
    return AssetFiles(enriched.folder.parent.parent)


def asset_settings(
    effective: EffectiveSettings, files: AssetFiles, award_year: int | None = None
) -> EffectiveSettings:
    """Return the settings for a Run of the assets: its reports lie beside them, not among those of `run`.

    An award year is a gate of its own, for its rates are its own. The history lies with the reports, unless
    the settings name a place.
    """
    settings = effective.settings
    gate = settings.gate
    if award_year is not None:
        gate = gate.model_copy(update={"name": f"{gate.name}-{award_year}"})
    reports = settings.reports.model_copy(update={"folder": files.folder})
    return replace(effective, settings=settings.model_copy(update={"gate": gate, "reports": reports}))


def with_reports_in(effective: EffectiveSettings, folder: Path) -> EffectiveSettings:
    """Return the settings of the assets with verdict and report going to this folder, and the history not."""
    settings = effective.settings
    history = settings.history.model_copy(update={"folder": history_folder(settings)})
    reports = settings.reports.model_copy(update={"folder": folder})
    return replace(effective, settings=settings.model_copy(update={"history": history, "reports": reports}))


def unfollowed(settings: Settings, made_of: Mapping[str, str]) -> tuple[str, ...]:
    """Return where the settings name other fixtures than those that recorded data were made of.

    The data are what was recorded, whatever the settings of a later run name.
    """
    return tuple(
        f"fixtures.{name} is {named or 'null'} in this run and is not followed:"
        f" the data were made of {made or 'none'}"
        for name, made in made_of.items()
        if (named := str(getattr(settings.fixtures, name) or "")) != made
    )


def _made(path: Path) -> int:
    return path.stat().st_mtime_ns


def judged_by_own_rate(effective: EffectiveSettings) -> EffectiveSettings:
    """Return the settings with the threshold on the match rate of the awards themselves: all are there."""
    gate = effective.settings.gate.model_copy(update={"match_rate_of": "fixture"})
    return replace(effective, settings=effective.settings.model_copy(update={"gate": gate}))


def with_awards(effective: EffectiveSettings, source: Path) -> EffectiveSettings:
    """Return the settings with the awards that were recorded, whatever they name now."""
    settings = effective.settings
    fixtures = settings.fixtures.model_copy(update={"awards": source})
    return replace(effective, settings=settings.model_copy(update={"fixtures": fixtures}))


def switch(link: Path, place: Path, names: tuple[str, ...]) -> None:
    """Let `link` lead to the place, and the names beside it to its files.

    All of them are switched by one rename: whoever opens one sees the file of before or that of now. Raises
    OutputError.
    """
    target = os.path.relpath(place, link.parent)
    targets = {link: Path(target), **{link.with_name(name): Path(link.name) / name for name in names}}
    for path, leads_to in targets.items():
        if not path.is_symlink() or path.readlink() != leads_to:
            _link(leads_to, path)


def _link(target: Path, link: Path) -> None:
    temporary = link.with_name(f".{link.name}.{uuid4().hex}.part")
    try:
        temporary.symlink_to(target)
        try:
            temporary.replace(link)
        finally:
            temporary.unlink(missing_ok=True)
    except IsADirectoryError as error:
        raise unwritable(link, error, "move the folder away: a link takes its place") from error
    except OSError as error:
        raise unwritable(
            link, error, "name a folder in orchestration.folder on a disk that has symbolic links"
        ) from error
