"""What is published: texts that reporting has made and publishing sends, with nothing left to word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Outcome, Verdict


class AnnotationLevel(StrEnum):
    """The severity of an annotation, in GitHub's terms."""

    NOTICE = "notice"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Annotation:
    """One remark on a line of a file; `path` starts at the repository's root, empty for a remark on no file.

    `title` and `message` are plain text, not escaped for any channel.
    """

    level: AnnotationLevel
    title: str
    message: str
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Links:
    """Where more is to be read, https addresses; an empty one is not known.

    `run` is the page of the workflow run, `artifact` that of the uploaded reports, `pull_request` and
    `commit` those of what was judged, `base_commit` that of what it was compared with, `compare` the
    difference of the two. `docs` is the folder of the documentation's pages, `dashboard` the page of trends.
    """

    run: str = ""
    artifact: str = ""
    pull_request: str = ""
    commit: str = ""
    base_commit: str = ""
    compare: str = ""
    docs: str = ""
    dashboard: str = ""


@dataclass(frozen=True, slots=True)
class Subjects:
    """The first lines of the messages of both commits, empty where they are not known."""

    base: str = ""
    head: str = ""

    @classmethod
    def of(cls, verdict: Verdict, subject: Callable[[str], str]) -> Subjects:
        """Return them for the commits of a verdict; `subject` is the first line of a commit's message."""
        return cls(subject(verdict.reference_commit), subject(verdict.head_commit))


@dataclass(frozen=True, slots=True)
class TrendSeries:
    """One metric over past Runs of a gate, the oldest first, in `unit`; labels and values run parallel.

    The last one is the Run that is judged. `limit` is the value beyond which it fails, None where there is
    none. `remark` says what a reader has to know of the series.
    """

    metric: str
    unit: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    limit: float | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Background:
    """What a verdict is seen against: the Runs that head was compared with, and courses over past Runs.

    `against` is the saved Run that a user compared with.
    """

    runs: tuple[Run, ...] = ()
    trends: tuple[TrendSeries, ...] = ()
    against: str = ""


@dataclass(frozen=True, slots=True)
class Publication:
    """What GitHub shows of one verdict.

    `title` is one line of plain text. `texts` are the report as Markdown, from the fullest to the barest:
    the first that fits is shown. Two publications with the same `digest` say the same of the same commit: the
    outcome, every reason and note, the awards and every exact value. A time that differs by noise alone is
    not in it, unless a reason names it.
    """

    gate: str
    outcome: Outcome
    title: str
    digest: str
    texts: tuple[str, ...]
    annotations: tuple[Annotation, ...]
