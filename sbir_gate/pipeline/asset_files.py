"""Where the assets of the pipeline lie on disk: paths are what goes from step to step, never data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.schema import Settings

_FOLDER = "dagster"
_BASELINES = "baselines"


@dataclass(frozen=True, slots=True)
class AssetFiles:
    """The files of all assets, or of one partition of them, in one folder."""

    folder: Path

    @property
    def validated(self) -> Path:
        """The awards that could be read."""
        return self.folder / "validated_sbir_awards.parquet"

    @property
    def award_table(self) -> Path:
        """What is known of them."""
        return self.folder / "validated_sbir_awards.json"

    @property
    def profiles(self) -> Path:
        """The firm and the strata of each of them."""
        return self.folder / "award_profiles.parquet"

    @property
    def award_rejects(self) -> Path:
        """The rows of awards that could not be read."""
        return self.folder / "rejected_awards.csv"

    @property
    def enriched(self) -> Path:
        """The awards with what was decided of each."""
        return self.folder / "enriched_sbir_awards.parquet"

    @property
    def run(self) -> Path:
        """The Run of the enrichment."""
        return self.folder / "enriched_sbir_awards.json"

    @property
    def rejects(self) -> Path:
        """The rows that could not be read while the awards were enriched."""
        return self.folder / "rejected_rows.csv"

    @property
    def metrics(self) -> Path:
        """Stages and work counters of the enrichment."""
        return self.folder / "enrichment_metrics.json"

    @property
    def baselines(self) -> Path:
        """The folder of the Run that the next one is held against."""
        return self.folder / _BASELINES

    @property
    def lock(self) -> Path:
        """The file whose lock says who writes here."""
        return self.folder / "writer.lock"


def asset_files(settings: Settings, award_year: int | None = None) -> AssetFiles:
    """Return where the assets lie, or those of one award year."""
    folder = settings.orchestration.folder or settings.reports.folder / _FOLDER
    return AssetFiles(folder if award_year is None else folder / str(award_year))


def asset_settings(effective: EffectiveSettings, award_year: int | None = None) -> EffectiveSettings:
    """Return the settings for a Run of the assets: its reports lie beside them, not among those of `run`.

    An award year is a gate of its own, for its rates are its own. The history lies with the reports, unless
    the settings name a place.
    """
    settings = effective.settings
    files = asset_files(settings, award_year)
    gate = settings.gate
    if award_year is not None:
        gate = gate.model_copy(update={"name": f"{gate.name}-{award_year}"})
    reports = settings.reports.model_copy(update={"folder": files.folder})
    changed = settings.model_copy(update={"gate": gate, "reports": reports})
    return EffectiveSettings(changed, effective.origins)
