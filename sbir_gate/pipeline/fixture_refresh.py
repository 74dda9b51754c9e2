"""`sbir-gate fixture refresh`: draw the fixture again from newer data, and keep its labels."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sbir_gate.datasets.drawing.earlier_labels import EarlierFixture, LabelFate
from sbir_gate.datasets.drawing.fixture_draw import DrawnFixture, DrawRequest, draw_fixture
from sbir_gate.documents import draw_content, load_fixture_draw
from sbir_gate.errors import DocumentError, InputError, UsageError
from sbir_gate.files import is_same_file, read_file
from sbir_gate.gate.fixture import read_profiles
from sbir_gate.model.fixture_draw import FixtureDraw
from sbir_gate.pipeline.new_gate.file_plan import (
    MOST_BYTES,
    Fate,
    NewFile,
    PlannedFile,
    content_of,
    plan_on_disk,
)
from sbir_gate.pipeline.new_gate.file_texts import fixture_text, is_own_page
from sbir_gate.reading.truth import label_text, read_labels
from sbir_gate.settings.effective import EffectiveSettings, default_settings
from sbir_gate.settings.reading import database_options, reading_options
from sbir_gate.settings.schema import FixturesSettings

DRAW_NAME, TRUTH_NAME, PAGE_NAME = "draw.json", "truth.csv", "README.md"
_FIRST_SEED = 1


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """The data to draw from; a truth, the number of awards and the seed are those of before if None."""

    awards: str
    recipients: str
    truth: Path | None = None
    count: int | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The new fixture, before it is written.

    `before` and `labels_before` count awards and labels of the old one, `same_awards` the awards of both.
    `truth` and `draw` are the files that the settings must name, and do not; empty where they do.
    """

    drawn: DrawnFixture
    before: int
    same_awards: int
    labels_before: int
    files: tuple[PlannedFile, ...]
    truth: str
    draw: str

    @property
    def kept_labels(self) -> int:
        """How many labels of before are in the new fixture."""
        return self.drawn.fates.get(LabelFate.KEPT, 0)


def refresh_fixture(
    request: RefreshRequest,
    effective: EffectiveSettings,
    scratch: Path,
    today: date,
    progress: Callable[[str], None],
) -> Refreshed:
    """Draw the fixture of the settings again; nothing outside of `scratch` is written.

    Raises InputError for what cannot be read, UsageError for a fixture that is not made of single files, or
    that is drawn from itself.
    """
    fixtures = effective.settings.fixtures
    for source, target in ((request.awards, fixtures.awards), (request.recipients, fixtures.recipients)):
        _check_target(source, target)
    old = _old_draw(request, fixtures)
    progress("reading the fixture")
    before = read_profiles(effective)
    labels = {} if fixtures.truth is None else read_labels(fixtures.truth, may_be_empty=True)
    drawn = draw_fixture(
        DrawRequest(
            request.awards,
            request.recipients,
            request.truth,
            _chosen(request.count, old.count if old else len(before)),
            _chosen(request.seed, old.seed if old else _FIRST_SEED),
            today,
            earlier=EarlierFixture(before, labels),
        ),
        scratch,
        database_options(effective.settings),
        reading_options(effective.settings),
        progress,
    )
    for written, target in (
        (drawn.awards_file, fixtures.awards),
        (drawn.recipients_file, fixtures.recipients),
    ):
        _check_type(written, target)
    known = {award.award_id for award in before}
    truth, draw = _truth_file(fixtures), _draw_file(fixtures)
    return Refreshed(
        drawn,
        len(before),
        sum(award.award_id in known for award in drawn.awards.drawn),
        len(labels),
        _planned(effective, drawn, truth, draw),
        str(truth) if fixtures.truth is None and drawn.labels else "",
        str(draw) if fixtures.draw is None else "",
    )


def _chosen(given: int | None, usual: int) -> int:
    return usual if given is None else given


def _old_draw(request: RefreshRequest, fixtures: FixturesSettings) -> FixtureDraw | None:
    """Return the draw of before, None where there is none or the request needs nothing of it.

    Raises DocumentError for a damaged one.
    """
    path = _draw_file(fixtures)
    if not os.path.lexists(path) or (request.count is not None and request.seed is not None):
        return None
    try:
        return load_fixture_draw(path)
    except DocumentError as error:
        hint = "restore it from git, or give --count and --seed: then it is written again"
        raise error.within("", DocumentError, hint) from error


def _truth_file(fixtures: FixturesSettings) -> Path:
    return fixtures.truth or fixtures.awards.parent / TRUTH_NAME


def _draw_file(fixtures: FixturesSettings) -> Path:
    return fixtures.draw or fixtures.awards.parent / DRAW_NAME


def _check_target(source: str, target: Path) -> None:
    if not source:
        raise InputError("the path is empty", "name a file")
    if is_same_file(Path(source), target):
        raise UsageError(
            "is the fixture, so it cannot be what the fixture is drawn from",
            "name your full data",
            path=source,
        )
    if not target.is_file():
        raise UsageError(
            "is not a single file, so it cannot be drawn again",
            "set the gate up with 'sbir-gate init'",
            path=target,
        )


def _check_type(written: Path, target: Path) -> None:
    """Raise UsageError where the data are of another type than the fixture that the settings name."""
    if not target.name.endswith("".join(written.suffixes)):
        raise UsageError(
            f"the fixture would be a file of the type of {written.name}, as its source is",
            "give sources of the fixture's type, or name the new file in the settings first",
            path=target,
        )


def _planned(
    effective: EffectiveSettings, drawn: DrawnFixture, truth: Path, draw: Path
) -> tuple[PlannedFile, ...]:
    fixtures, gate = effective.settings.fixtures, effective.settings.gate
    contents = {
        fixtures.awards: read_file(drawn.awards_file, MOST_BYTES),
        fixtures.recipients: read_file(drawn.recipients_file, MOST_BYTES),
    }
    if drawn.labels or fixtures.truth is not None:
        contents[truth] = label_text(drawn.labels).encode()
    page = fixtures.awards.parent / PAGE_NAME
    old_page = content_of(page)
    name = "" if gate.name == default_settings({}).settings.gate.name else gate.name
    contents[page] = fixture_text(name, str(truth), drawn).encode()
    contents[draw] = draw_content(drawn.draw, draw)
    files = [NewFile(os.fspath(path), content) for path, content in contents.items()]
    planned = plan_on_disk(files, may_replace=True)
    if old_page is None or is_own_page(old_page):
        return planned
    return tuple(
        replace(each, fate=Fate.KEPT) if each.file.path == os.fspath(page) and each.has_changes else each
        for each in planned
    )
