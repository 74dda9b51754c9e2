"""Labels made by people: the engine says which awards are doubtful, a person decides them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.datasets.labelling.page import LabelCandidate, LabelTask
from sbir_gate.datasets.labelling.sampling import SampledFrom, draw_sample
from sbir_gate.engine.explanation import DecidedAward, explain
from sbir_gate.gate.reporting.explanation import CandidateView, explanation_view
from sbir_gate.model.explanation import Explanation
from sbir_gate.model.labelling import LabelSample
from sbir_gate.progress import Progress
from sbir_gate.settings.schema import Settings


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """Awards and recipients, about how many awards to draw, and the seed that decides which."""

    awards: str
    recipients: str
    count: int
    seed: int


def label_tasks(
    request: LabelRequest, settings: Settings, progress: Progress, index_folder: Path | None = None
) -> tuple[LabelSample, tuple[LabelTask, ...]]:
    """Link all awards, draw the sample, and return it with what a person needs to decide each award.

    An index of all recipients is written to `index_folder` where it is named.
    """
    drawn: list[LabelSample] = []

    def choose(decided: Sequence[DecidedAward]) -> list[str]:
        awards = (SampledFrom(award.decision, award.phase, award.identifier_type) for award in decided)
        drawn.append(draw_sample(awards, request.count, request.seed))
        return [award.award_id for award in drawn[0].drawn]

    explained = explain(request.awards, request.recipients, choose, settings, progress, index_folder)
    return drawn[0], tuple(map(_task, explained))


def _task(explanation: Explanation) -> LabelTask:
    views = explanation_view(explanation).candidates
    candidates = tuple(
        LabelCandidate(found.recipient_id, found.party, _features(view))
        for found, view in zip(explanation.candidates, views, strict=True)
    )
    return LabelTask(explanation.award_id, explanation.firm, candidates)


def _features(view: CandidateView) -> tuple[str, ...]:
    """Return the features that weigh most; the first part is the start of every pair."""
    return tuple(f"{part.name} {part.value}".strip() for part in view.parts[1:])
