"""The page on which a person labels awards: one self-contained file, or served with a search."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from markupsafe import Markup

from sbir_gate.datasets.labelling.settling import Settlement
from sbir_gate.model.explanation import Party
from sbir_gate.model.labelling import AwardLabel, LabelSample
from sbir_gate.pages.blocks import Cell, Column, Json, Page, Section, Table
from sbir_gate.pages.page import package_text, page_templates, render_page

_PACKAGE = "sbir_gate.datasets.labelling"


@dataclass(frozen=True, slots=True)
class LabelCandidate:
    """A recipient to choose; `parts` say how it compares, as text."""

    recipient_id: str
    party: Party
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelTask:
    """An award to decide, with the recipients that the engine considers, the best first."""

    award_id: str
    party: Party
    candidates: tuple[LabelCandidate, ...]


def render_label_page(
    subject: LabelSample | Settlement,
    tasks: Sequence[LabelTask],
    labels: Mapping[str, AwardLabel],
    reviewer: str,
    *,
    is_served: bool = False,
) -> str:
    """Return the page that decides the awards of a sample, or those on which two reviewers disagree.

    `labels` are those made before; a served page saves its labels, too. The file that an offline page makes
    also has the labels of other awards: those made before, and those that a settlement takes over.
    """
    is_settled = isinstance(subject, Settlement)
    taken = subject.taken if isinstance(subject, Settlement) else {}
    shown = {task.award_id for task in tasks}
    others = [label for award, label in {**taken, **labels}.items() if award not in shown]
    search = "Search all recipients by name" if is_served else "Search the candidates of all awards by name"
    tool = page_templates(_PACKAGE, "templates").get_template("label.html.j2")
    keys = "Keys: 1 to 5 choose a candidate, n none of these, s skip, u undo, the arrows move."
    more = " a and b take over one reviewer's answer, c both." if is_settled else ""
    markup = Markup(tool.render(search=search, keys=keys + more))  # noqa: S704 -- the template escapes what it prints
    data: Json = {
        "tasks": [_task(task, subject) for task in tasks],
        "sample": _digest(subject),
        "reviewer": reviewer,
        "labels": {task.award_id: _label(labels[task.award_id]) for task in tasks if task.award_id in labels},
        "others": [_label(label) for label in others],
        "sides": list(subject.names) if isinstance(subject, Settlement) else [],
        "server": is_served,
    }
    return render_page(
        Page(
            title="Settle labels" if is_settled else "Label awards",
            lead=_lead(subject, len(tasks)),
            sections=(
                Section("label", "Decide", (markup,)),
                Section("awards", "All awards and their candidates", (_table(tasks, subject),)),
            ),
            script=package_text(_PACKAGE, "templates/label.js"),
            style=package_text(_PACKAGE, "templates/label.css"),
            data=data,
            notes=("The labels stay in this browser until they are downloaded.",) if not is_served else (),
            is_served=is_served,
            needs_scripts=True,
        )
    )


def _lead(subject: LabelSample | Settlement, shown: int) -> str:
    if isinstance(subject, LabelSample):
        return f"{shown:,} of {subject.awards:,} awards, seed {subject.seed}; the doubtful first"
    both = subject.agreement.both
    return (
        f"{' and '.join(subject.names)} disagree on {shown:,} of {both:,} awards; "
        f"{subject.agreement.agreed:,} agreed labels and {subject.alone:,} of one reviewer are taken over"
    )


def _digest(subject: LabelSample | Settlement) -> str:
    """Return what the browser keeps the labels under: the awards, and what is decided of them."""
    if isinstance(subject, LabelSample):
        parts: Iterable[str] = (drawn.award_id for drawn in subject.drawn)
    else:
        parts = ("settle", *subject.names, *subject.disputes)
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def _task(task: LabelTask, subject: LabelSample | Settlement) -> Json:
    candidates: list[Json] = [
        {"recipient_id": found.recipient_id, "parts": list(found.parts), **asdict(found.party)}
        for found in task.candidates
    ]
    answers: list[Json] = [_label(label) for label in _answers(subject, task)]
    return {"award_id": task.award_id, "candidates": candidates, "answers": answers, **asdict(task.party)}


def _answers(subject: LabelSample | Settlement, task: LabelTask) -> tuple[AwardLabel, ...]:
    return subject.disputes[task.award_id] if isinstance(subject, Settlement) else ()


def _label(label: AwardLabel) -> Json:
    return {
        "award_id": label.award_id,
        "recipient_ids": list(label.recipient_ids),
        "reviewer": label.reviewer,
        "decided_on": label.decided_on.isoformat() if label.decided_on else "",
        "certainty": label.certainty.value,
        "note": label.note,
    }


def _table(tasks: Sequence[LabelTask], subject: LabelSample | Settlement) -> Table:
    sides = subject.names if isinstance(subject, Settlement) else ()
    columns = ("award", "firm", "place", *sides, "candidates")
    return Table(
        "all-awards",
        "The awards to settle" if sides else "The awards of the sample",
        tuple(map(Column, columns)),
        tuple(
            (
                Cell(task.award_id, is_code=True),
                task.party.name,
                " ".join(filter(None, (task.party.city, task.party.state, task.party.zip5))),
                *(_answer_text(label) for label in _answers(subject, task)),
                Markup(" · ").join(map(_named, task.candidates)) or "none",
            )
            for task in tasks
        ),
        has_filter=True,
    )


def _named(found: LabelCandidate) -> Markup:
    """Return name and id; a name from right to left does not move what is around it."""
    return Markup("<bdi>{}</bdi> ({})").format(found.party.name, found.recipient_id)


def _answer_text(label: AwardLabel) -> str:
    return ": ".join(filter(None, (" ".join(label.recipient_ids) or "none", label.note)))
