"""The page on which a person labels awards: one self-contained file, or served with a search."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from markupsafe import Markup

from sbir_gate.model.explanation import Party
from sbir_gate.model.labelling import AwardLabel, LabelSample
from sbir_gate.pages.blocks import Cell, Column, Json, Page, Paragraph, Section, Table
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
    sample: LabelSample,
    tasks: Sequence[LabelTask],
    labels: Mapping[str, AwardLabel],
    reviewer: str,
    *,
    is_served: bool = False,
) -> str:
    """Return the page. `labels` are those made before; a served page saves its labels, too."""
    search = "Search all recipients by name" if is_served else "Search the candidates of all awards by name"
    tool = page_templates(_PACKAGE, "templates").get_template("label.html.j2")
    markup = Markup(tool.render(search=search))  # noqa: S704 -- the template escapes what it prints
    keys = "Keys: 1 to 5 choose a candidate, n none of these, s skip, u undo, the arrows move."
    digest = hashlib.sha256("\n".join(drawn.award_id for drawn in sample.drawn).encode()).hexdigest()[:16]
    data: Json = {
        "tasks": [_task(task) for task in tasks],
        "sample": digest,
        "reviewer": reviewer,
        "labels": {task.award_id: _label(labels[task.award_id]) for task in tasks if task.award_id in labels},
        "server": is_served,
    }
    return render_page(
        Page(
            title="Label awards",
            lead=f"{len(tasks):,} of {sample.awards:,} awards, seed {sample.seed}; the doubtful first",
            sections=(
                Section("label", "Decide", (Paragraph(keys), markup)),
                Section("awards", "All awards and their candidates", (_table(tasks),)),
            ),
            script=package_text(_PACKAGE, "templates/label.js"),
            style=package_text(_PACKAGE, "templates/label.css"),
            data=data,
            notes=("The labels stay in this browser until they are downloaded.",) if not is_served else (),
            is_served=is_served,
        )
    )


def _task(task: LabelTask) -> Json:
    candidates: list[Json] = [
        {"recipient_id": found.recipient_id, "parts": list(found.parts), **asdict(found.party)}
        for found in task.candidates
    ]
    return {"award_id": task.award_id, "candidates": candidates, **asdict(task.party)}


def _label(label: AwardLabel) -> Json:
    return {
        "award_id": label.award_id,
        "recipient_ids": list(label.recipient_ids),
        "reviewer": label.reviewer,
        "decided_on": label.decided_on.isoformat() if label.decided_on else "",
        "certainty": label.certainty.value,
        "note": label.note,
    }


def _table(tasks: Sequence[LabelTask]) -> Table:
    columns = ("award", "firm", "place", "candidates")
    return Table(
        "all-awards",
        "The awards of the sample",
        tuple(map(Column, columns)),
        tuple(
            (
                Cell(task.award_id, is_code=True),
                task.party.name,
                " ".join(filter(None, (task.party.city, task.party.state, task.party.zip5))),
                " · ".join(f"{found.party.name} ({found.recipient_id})" for found in task.candidates)
                or "none",
            )
            for task in tasks
        ),
        has_filter=True,
    )
