"""Head on the fixture of its base: measured there where it edits its own, and what the edit does, counted."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from sbir_gate.errors import EnricherError, InputError, SbirGateError, TamperingError
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.fixture import describe_fixture
from sbir_gate.gate.fixture_edits import BaseFixture
from sbir_gate.gate.storing.revisions import file_sha256
from sbir_gate.model.companions import OnBaseFixture
from sbir_gate.model.finding import Finding, Rule, Severity
from sbir_gate.model.fixture_edits import FixtureEdits, RowEdits
from sbir_gate.model.run import Run
from sbir_gate.reading.database import open_database
from sbir_gate.reading.layout import AWARDS, RECIPIENTS
from sbir_gate.reading.row_edits import count_row_edits
from sbir_gate.reading.truth import read_truth
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.reading import database_options, reading_options

Labels = Mapping[str, frozenset[str]]


def measured_on_base(
    head: Run,
    fixture: BaseFixture | None,
    effective: EffectiveSettings,
    edges: Edges,
    progress: Callable[[str], None],
    measure_on: Callable[[EffectiveSettings], OnBaseFixture],
    baseline: Run | None = None,
) -> tuple[Run, OnBaseFixture | None]:
    """Return head's Run with what it edits of the base's fixture, and the Runs there, if there are any.

    `measure_on` measures the fixture that the settings name. `baseline` is what links are compared with where
    the base was not measured itself. An enricher that breaks there is no error: it is why head cannot be
    judged. Raises TamperingError for one that changes the files there.
    """
    if fixture is None or not fixture.is_whole:
        return head, None
    head = replace(head, session=head.session or edges.new_session())
    commit = fixture.revision.commit
    with tempfile.TemporaryDirectory(prefix="sbir-gate-fixture-", ignore_cleanup_errors=True) as name:
        files = Path(name).resolve() / "files"
        try:
            there = fixture.settings_in(files, effective)
            if describe_fixture(there, 0).fingerprint == head.fixture.fingerprint:
                return head, None
        except InputError as error:
            edits = FixtureEdits(commit, obstacle=_obstacle(error, files), is_counted=False)
            return replace(head, fixture_edits=edits), None
        progress("comparing the fixture with the base's")
        before, after = _labels(there), _labels(effective)
        edits = _edits(commit, there, effective, before, after, Path(name))
        progress("measuring on the base's fixture")
        try:
            found = measure_on(there)
        except (InputError, EnricherError) as error:
            if isinstance(error, TamperingError) or isinstance(error.__cause__, TamperingError):
                error.seen_from(files)
                raise error.within("on the base's fixture", TamperingError) from error
            return replace(head, fixture_edits=replace(edits, obstacle=_obstacle(error, files))), None
    marked = OnBaseFixture(
        _marked(found.head, head, fixture), _marked(found.base, head, fixture) if found.base else None
    )
    reference = marked.base or baseline
    if reference is not None and reference.fixture.fingerprint == marked.head.fixture.fingerprint:
        altered = _altered_awards(marked.head, reference)
        lessened = {award_id for award_id, label in before.items() if after.get(award_id) != label}
        edits = replace(edits, altered_labels=len(altered & lessened))
    return replace(head, fixture_edits=edits), marked


def _marked(run: Run, head: Run, fixture: BaseFixture) -> Run:
    """Return a Run on the base's fixture as one of head's session, with the paths as the base has them."""
    names = fixture.names
    return replace(
        run,
        started_at=head.started_at,
        session=head.session,
        fixture=replace(
            run.fixture,
            commit=fixture.revision.commit,
            awards_path=str(names.awards),
            recipients_path=str(names.recipients),
            truth_path=str(names.truth or ""),
        ),
    )


def _obstacle(error: SbirGateError, files: Path) -> Finding:
    """Return why head cannot be judged on the base's fixture."""
    error.seen_from(files)
    facts = {**error.facts_of(error.fault), "obstacle": error.message}
    return Finding(Rule.FIXTURE_EDIT_UNJUDGED, Severity.FAIL, facts=facts)


def _labels(effective: EffectiveSettings) -> Labels:
    """Return the truth; none where there is none, or where it cannot be read: measuring says so."""
    truth = effective.settings.fixtures.truth
    try:
        return read_truth(truth) if truth is not None else {}
    except InputError:
        return {}


def _edits(
    commit: str,
    before: EffectiveSettings,
    after: EffectiveSettings,
    labels_before: Labels,
    labels_after: Labels,
    folder: Path,
) -> FixtureEdits:
    options = reading_options(after.settings)
    old, new = before.settings.fixtures, after.settings.fixtures
    both = labels_before.keys() & labels_after.keys()
    is_redrawn = _digest(old.draw) != _digest(new.draw)
    truth = RowEdits(
        added=len(labels_after) - len(both),
        removed=len(labels_before) - len(both),
        changed=sum(labels_before[award_id] != labels_after[award_id] for award_id in both),
    )
    try:
        with open_database(database_options(after.settings), folder) as connection:
            awards = count_row_edits(connection, str(old.awards), str(new.awards), AWARDS, folder, options)
            recipients = count_row_edits(
                connection, str(old.recipients), str(new.recipients), RECIPIENTS, folder, options
            )
    except InputError:
        return FixtureEdits(commit, truth=truth, is_counted=False, is_redrawn=is_redrawn)
    return FixtureEdits(commit, awards, recipients, truth, is_redrawn=is_redrawn)


def _digest(path: Path | None) -> str:
    """Return the SHA-256 of a file; empty if there is none, or if it cannot be read: measuring says so."""
    try:
        return file_sha256(path) if path is not None else ""
    except InputError:
        return ""


def _altered_awards(head: Run, reference: Run) -> frozenset[str]:
    """Return the awards whose link differs."""
    before = {award.award_id: award.link for award in reference.awards}
    after = {award.award_id: award.link for award in head.awards}
    return frozenset(
        award_id for award_id in before.keys() | after.keys() if before.get(award_id) != after.get(award_id)
    )
