"""One award explained: the engine's reasons, or an enriched file's, held against a Run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sbir_gate.documents import load_run
from sbir_gate.engine.explanation import explain
from sbir_gate.engine.linking import files_of
from sbir_gate.gate.explanation import explain_enriched, reference_path, shift_since
from sbir_gate.model.explanation import ExplainedAward
from sbir_gate.progress import Progress
from sbir_gate.settings.schema import Settings


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """What to explain: from `enriched`, or by linking `awards` to `recipients`.

    `against` is a saved Run, or what `reference_path` finds by its name.
    """

    award_ids: tuple[str, ...]
    enriched: Path | None
    awards: str
    recipients: str
    against: Path | None = None


def explain_awards(
    request: ExplainRequest, settings: Settings, progress: Progress
) -> tuple[ExplainedAward, ...]:
    """Return each award's explanation, with what the Run decided of it where one is named."""
    run = None if request.against is None else load_run(reference_path(request.against, settings))
    if request.enriched is not None:
        found = tuple(explain_enriched(request.enriched, award) for award in request.award_ids)
    else:
        found = explain(request.awards, request.recipients, request.award_ids, settings, progress)
    return tuple(ExplainedAward(one, None if run is None else shift_since(run, one)) for one in found)


def files_read(request: ExplainRequest, settings: Settings) -> list[Path]:
    """Return the files that `explain_awards` reads."""
    against = request.against and reference_path(request.against, settings)
    named = [path for path in (request.enriched, against) if path is not None]
    return named if request.enriched else [*named, *files_of([request.awards, request.recipients], settings)]
