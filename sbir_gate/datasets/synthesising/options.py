"""What to synthesise, and the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sbir_gate.datasets.synthesising.worlds import FIXTURE_WORLD, World
from sbir_gate.errors import UsageError

FEWEST_RECIPIENTS = 10
MOST_AWARDS = 9_999_999
MOST_RECIPIENTS = 999_999_999


class FileFormat(StrEnum):
    """How the awards and recipients are written; the truth is always CSV."""

    CSV = "csv"
    CSV_GZ = "csv.gz"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class SynthesisOptions:
    """How much to synthesise, from which seed.

    `is_sample` draws the awards as a stratified sample: every combination of phase, company size and
    identifier type is dealt in turn, and most firms have one award. Otherwise shares and awards per
    firm are like those of the whole SBIR.gov file. `world` says how hard they are to link.

    Raises UsageError where the numbers cannot be.
    """

    awards: int
    recipients: int
    seed: int
    file_format: FileFormat = FileFormat.CSV
    is_sample: bool = False
    world: World = FIXTURE_WORLD

    def __post_init__(self) -> None:
        if not 1 <= self.awards <= MOST_AWARDS:
            hint = "ask for a number of awards in that range"
            raise UsageError(f"--awards is {self.awards:,}, not 1 to {MOST_AWARDS:,}", hint)
        fewest = max(FEWEST_RECIPIENTS, self.awards)
        if not fewest <= self.recipients <= MOST_RECIPIENTS:
            raise UsageError(
                f"--recipients is {self.recipients:,}, not {fewest:,} to {MOST_RECIPIENTS:,}",
                f"the firms of {self.awards:,} awards need at least {fewest:,} recipients",
            )
        if self.seed < 0:
            raise UsageError(f"--seed is {self.seed}, below 0", "any whole number from 0 is a seed")
        if self.is_sample and self.world.identifiers is not None:
            raise UsageError(
                "a sample deals every identifier type in turn, so a share of identifiers has no effect",
                "leave out --sample or --identifiers",
            )


@dataclass(frozen=True, slots=True)
class SynthesisSummary:
    """What was written.

    `sha256` is by file name. `awards_by_stratum` is by dimension (`phase`, `company_size`,
    `identifier_type`), then value. `awards_without_recipient` have an empty truth.
    """

    awards_path: Path
    recipients_path: Path
    truth_path: Path
    firms: int
    awards_without_recipient: int
    awards_by_stratum: Mapping[str, Mapping[str, int]]
    sha256: Mapping[str, str]
