"""One award explained: the engine's reasons, or an enriched file's, held against a Run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.documents import load_run
from sbir_gate.engine.explanation import explain
from sbir_gate.engine.linking import files_of
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.explanation import explain_engine, explain_enriched, reference_path, shift_since
from sbir_gate.model.explanation import ExplainedAward
from sbir_gate.progress import Progress
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.fixture_place import check_fixture_place


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """What to explain: from `enriched`, or by linking the awards of the settings to their recipients.

    `against` is a saved Run, or what `reference_path` finds by its name.
    """

    award_ids: tuple[str, ...]
    enriched: Path | None
    against: Path | None = None


def explain_awards(
    request: ExplainRequest,
    effective: EffectiveSettings,
    edges: Edges,
    progress: Progress,
    say: Callable[[str], None],
) -> tuple[ExplainedAward, ...]:
    """Return each award's explanation, with what the Run decided of it where one is named.

    The built-in engine says how it decided; another one is run, and states its decision. `progress` counts
    the work of the first, `say` names the steps of the second.
    """
    settings = effective.settings
    run = None if request.against is None else load_run(reference_path(request.against, settings))
    if request.enriched is not None:
        found = tuple(explain_enriched(request.enriched, award) for award in request.award_ids)
    elif settings.enricher.command is not None:
        found = explain_engine(effective, request.award_ids, edges, say)
    else:
        found = explain(*_sources(effective), request.award_ids, settings, progress)
    return tuple(ExplainedAward(one, None if run is None else shift_since(run, one)) for one in found)


def files_read(request: ExplainRequest, effective: EffectiveSettings) -> list[Path]:
    """Return the files that `explain_awards` reads."""
    settings = effective.settings
    against = request.against and reference_path(request.against, settings)
    named = [path for path in (request.enriched, against) if path is not None]
    return named if request.enriched else [*named, *files_of(_sources(effective), settings)]


def _sources(effective: EffectiveSettings) -> tuple[str, str]:
    check_fixture_place(effective)
    fixtures = effective.settings.fixtures
    return str(fixtures.awards), str(fixtures.recipients)
