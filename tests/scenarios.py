"""The known good, bad and edge scenarios of fixtures/, typed, and written as files for engine and gate."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

SCENARIOS_PATH = Path(__file__).parents[1] / "fixtures" / "enrichment_scenarios.json"

FAILURES = (
    "precision",
    "recall",
    "match_rate",
    "rows_missing",
    "rows_doubled",
    "rows_unknown",
    "disagreements",
    "blocking_recall",
    "max_lost",
    "error",
)
"""What a bad scenario may name: a metric that the gate fails on, `max_lost` for awards that lost their
right link, or `error` for an output that cannot be read."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Award(_Frozen):
    """One award; the fields have SBIR.gov's names, and are empty where the scenario leaves them out."""

    award_id: str
    company: str = Field("", alias="Company")
    uei: str = Field("", alias="UEI")
    duns: str = Field("", alias="Duns")
    city: str = Field("", alias="City")
    state: str = Field("", alias="State")
    zip: str = Field("", alias="Zip")


class Recipient(_Frozen):
    """One recipient."""

    recipient_id: str
    legal_business_name: str
    uei: str = ""
    duns: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""


class Expected(_Frozen):
    """The right decision of the engine; `recipient_id` is None for none."""

    decision: Literal["link", "candidate", "none"]
    method: Literal["uei-exact", "duns-exact", "name-exact", "name-fuzzy", "alias", "none"]
    recipient_id: str | None


class Answer(_Frozen):
    """One row that a broken enricher writes, wrong on purpose."""

    award_id: str
    decision: str
    method: str
    recipient_id: str | None
    score: float
    candidate_ids: tuple[str, ...] = ()


class Scenario(_Frozen):
    """A tiny dataset with the right decisions; a bad one adds what a broken enricher answers instead.

    `truth` is given where it is not what the right decisions say. `second_sabotage` is what the
    broken enricher answers in a second repeat.
    """

    id: str
    kind: Literal["good", "bad", "edge"]
    title: str
    reason: str
    awards: tuple[Award, ...]
    recipients: tuple[Recipient, ...]
    expected: Mapping[str, Expected]
    truth: Mapping[str, tuple[str, ...]] = {}
    sabotage: tuple[Answer, ...] = ()
    second_sabotage: tuple[Answer, ...] = ()
    failure: str = ""

    def right_recipients(self, award_id: str) -> tuple[str, ...]:
        """Return the ids that are truly the award's firm; empty where none exists."""
        expected = self.expected[award_id]
        linked = (expected.recipient_id,) if expected.decision == "link" and expected.recipient_id else ()
        return self.truth.get(award_id, linked)

    def right_answers(self) -> tuple[Answer, ...]:
        """Return the right decisions as the rows of an enricher."""
        return tuple(
            Answer(
                award_id=award_id,
                decision=expected.decision,
                method=expected.method,
                recipient_id=expected.recipient_id,
                score=0 if expected.decision == "none" else 100,
                candidate_ids=(expected.recipient_id,) if expected.recipient_id else (),
            )
            for award_id, expected in self.expected.items()
        )


@dataclass(frozen=True, slots=True)
class ScenarioFiles:
    """The files of one scenario."""

    awards: Path
    recipients: Path
    truth: Path


@cache
def load_scenarios() -> tuple[Scenario, ...]:
    """Return all scenarios in the order of the file."""
    documents = json.loads(SCENARIOS_PATH.read_text(encoding="utf-8"))
    return TypeAdapter(tuple[Scenario, ...]).validate_python(documents)


def write_scenario(scenario: Scenario, folder: Path) -> ScenarioFiles:
    """Write awards, recipients and truth of a scenario as CSV files into the folder."""
    files = ScenarioFiles(folder / "awards.csv", folder / "recipients.csv", folder / "truth.csv")
    awards = [award.model_dump(by_alias=True) for award in scenario.awards]
    _write(files.awards, awards[0].keys(), (award.values() for award in awards))
    recipients = [recipient.model_dump() for recipient in scenario.recipients]
    _write(files.recipients, recipients[0].keys(), (recipient.values() for recipient in recipients))
    truth = [(award_id, " ".join(scenario.right_recipients(award_id))) for award_id in scenario.expected]
    _write(files.truth, ("award_id", "recipient_ids"), truth)
    return files


def write_answers(answers: Sequence[Answer], path: Path) -> None:
    """Write answers as the enriched CSV file of an outside enricher."""
    header = ("award_id", "recipient_id", "match_method", "match_score", "match_decision", "match_candidates")
    rows = (
        (
            answer.award_id,
            answer.recipient_id or "",
            answer.method,
            answer.score,
            answer.decision,
            json.dumps(answer.candidate_ids),
        )
        for answer in answers
    )
    _write(path, header, rows)


def _write(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)
