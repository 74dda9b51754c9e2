"""Labels made by people: the engine says which awards are doubtful, a person decides them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from sbir_gate.datasets.labelling.page import LabelCandidate, LabelTask
from sbir_gate.datasets.labelling.sampling import SampledFrom, draw_sample
from sbir_gate.datasets.labelling.settling import Settlement
from sbir_gate.engine.explanation import DecidedAward, explain
from sbir_gate.gate.reporting.explanation import CandidateView, explanation_view
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.model.explanation import Explanation, Party
from sbir_gate.model.labelling import AwardLabel, LabelSample
from sbir_gate.progress import Progress
from sbir_gate.reading.recipient_index import find_by_id
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


def settle_tasks(
    request: LabelRequest, settlement: Settlement, settings: Settings, progress: Progress, index_folder: Path
) -> tuple[LabelTask, ...]:
    """Link all awards, and return the disputed ones; the reviewers' recipients are candidates too.

    An index of all recipients is written to `index_folder`: reviewers can have found theirs by a search.
    """
    disputes = settlement.disputes
    explained = explain(request.awards, request.recipients, [*disputes], settings, progress, index_folder)
    tasks = [_task(found) for found in explained]
    answers = {award: _answered(pair) for award, pair in disputes.items()}
    known = find_by_id(index_folder, {id_ for ids in answers.values() for id_ in ids})

    def with_answers(task: LabelTask) -> LabelTask:
        shown = {found.recipient_id for found in task.candidates}
        missing = (id_ for id_ in answers[task.award_id] if id_ not in shown)
        added = (
            LabelCandidate(id_, _plain(Party(known[id_].name, known[id_].uei)), ())
            if id_ in known
            else LabelCandidate(id_, Party(""), ("not in the recipients",))
            for id_ in missing
        )
        return replace(task, candidates=(*task.candidates, *added))

    return tuple(map(with_answers, tasks))


def _answered(pair: Sequence[AwardLabel]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id_ for label in pair for id_ in label.recipient_ids))


def _task(explanation: Explanation) -> LabelTask:
    views = explanation_view(explanation).candidates
    candidates = tuple(
        LabelCandidate(found.recipient_id, _plain(found.party), _features(view))
        for found, view in zip(explanation.candidates, views, strict=True)
    )
    return LabelTask(explanation.award_id, _plain(explanation.firm), candidates)


def _plain(party: Party) -> Party:
    """Return the party as all reports show text from data: without unseen characters, and not too long."""
    return Party(*map(plain, astuple(party)))


def _features(view: CandidateView) -> tuple[str, ...]:
    """Return the features that weigh most; the first part is the start of every pair."""
    return tuple(f"{part.name} {part.value}".strip() for part in view.parts[1:])
