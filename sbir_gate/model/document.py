"""The JSON codec of saved documents, and the number of their format.

Format history:

1. first format: Run, Verdict, progress of a profile.
2. Runs know with which other they were measured side by side (`session`), and of what kind each award is.
   Verdicts know the stage that lost each link, the changes by kind, the waivers that were applied, the
   commit that their policy is from, and what head changes of it. Changes tell which regression could have
   been seen (`smallest_detectable`), and verdicts know of slow `drift`. Entries of the
   history, alerts, and what is known of a table of awards.
3. Every field that was added since has a default, so documents of format 2 are read as they are. Metrics have
   a version of their definition and the method of their measurement; a Run knows what it could not see, the
   processor time of the calibration workload, its settings file (`settings_file`), and why it was measured
   without its base (`base_gap`) or without times (`timing`).
   Runs keep their first run where it was a warm-up, and how long disks were waited for.
   A Verdict knows the branch that its change goes to (`target`).
   Runs and verdicts know what head edits of its base's fixture (`fixture_edits`), fixtures of which commit
   they are (`commit`), and verdicts what head's own fixture shows (`own_fixture_changes`).
   A Run knows by which commit it is judged (`policy_commit`), where it goes to (`target`), and whether it was
   merged (`is_merged`): it is judged again in the same way. It names awards of the output that are not in
   the input (`unknown_award_ids`).
4. A Run has its awards in columns (`awards`), with the label of each, instead of seven parallel arrays.
   Times are moments in UTC, and a verdict without a reference has none (`reference_started_at` is null).
   A Run knows the settings that were given for it alone (`overrides`, with a default).
   Entries of the history know the set of metrics of their program (`definitions`) and why times were not
   measured (`timing`). Verdicts and alerts hold findings (`sbir_gate.model.finding`) instead of sentences.
   Documents of format 3 and older are read by the steps of `upgrades`; their sentences become findings of the
   rule `as-recorded`.
5. The notes of a Run (`warnings`), and why a fixture edit could not be judged (`fixture_edits.obstacle`), are
   findings instead of sentences.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from sbir_gate.errors import DocumentError
from sbir_gate.git_leftovers import find_leftover
from sbir_gate.model.adapters import adapter
from sbir_gate.model.alert import AlertList, alerts_fault
from sbir_gate.model.award_columns import AwardColumns, awards_of, columns_of, uncollected
from sbir_gate.model.bounds import number_fault, run_fault
from sbir_gate.model.fixture_draw import FixtureDraw, draw_fault
from sbir_gate.model.history import HistoryEntry
from sbir_gate.model.labelling import LabelSample, sample_fault
from sbir_gate.model.profile import ProfileProgress
from sbir_gate.model.quality_report import QualityReport, count_fault
from sbir_gate.model.records import AwardTable
from sbir_gate.model.run import Run
from sbir_gate.model.sizes import entry_excess, run_excess
from sbir_gate.model.strict_json import parse_json
from sbir_gate.model.upgrades import upgraded
from sbir_gate.model.verdict import Verdict, verdict_fault
from sbir_gate.wrong_input import broken_rule

FORMAT_VERSION = 5

MAKE_AGAIN = "recreate it with 'sbir-gate run'"
PROMOTE_AGAIN = "restore it from git, or replace it with 'sbir-gate baseline promote --force'"

_NO_NUMBER = re.compile(rb"[\[,:](?:NaN|-?Infinity)[\],}]")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DocumentKind(Generic[T]):
    """A sort of document that can be saved: the word that names it in JSON, its type, and what it may hold.

    `excess` returns a message on what a document has too much of, `fault` on what cannot be true of it; both
    an empty text for nothing.
    """

    name: str
    type_: type[T]
    excess: Callable[[T], str] = lambda _content: ""
    fault: Callable[[T], str] = lambda _content: ""


RUN = DocumentKind("run", Run, run_excess, run_fault)
VERDICT = DocumentKind("verdict", Verdict, fault=verdict_fault)
PROGRESS = DocumentKind("progress", ProfileProgress)
HISTORY = DocumentKind("history", HistoryEntry, entry_excess, number_fault)
ALERTS = DocumentKind("alerts", AlertList, fault=alerts_fault)
AWARD_TABLE = DocumentKind("award-table", AwardTable)
QUALITY = DocumentKind("quality", QualityReport, fault=count_fault)
LABEL_SAMPLE = DocumentKind("label-sample", LabelSample, fault=sample_fault)
FIXTURE_DRAW = DocumentKind("fixture-draw", FixtureDraw, fault=draw_fault)


def encode(kind: DocumentKind[T], content: T) -> str:
    """Return the document as JSON text that ends in a newline. Raises ValueError for NaN and infinity."""
    return encode_bytes(kind, content).decode()


def encode_bytes(kind: DocumentKind[T], content: T) -> bytes:
    """Return what `encode` does as UTF-8: of a Run of all awards some 20 MB, and as text a multiple of it."""
    body = _body(kind, content)
    if _NO_NUMBER.search(body):
        # in JSON, or inside a text with similar content
        from_json(body, allow_inf_nan=False)
    head = f'{{"format_version":{FORMAT_VERSION},"kind":"{kind.name}","{kind.name}":'
    return b"".join((head.encode(), body, b"}\n"))


def _body(kind: DocumentKind[T], content: T) -> bytes:
    """Return the content as JSON: of a Run the awards in columns, all else as the dataclass has it."""
    if not isinstance(content, Run):
        return adapter(kind.type_).dump_json(content)
    rest = adapter(kind.type_).dump_json(content, exclude={"awards"})
    columns = adapter(AwardColumns).dump_json(columns_of(content.awards))
    return b"".join((rest[:-1], b',"awards":', columns, b"}"))


def _content(kind: DocumentKind[T], found: object) -> T:
    """Return what `_body` wrote. Raises ValueError, with the place of what is wrong."""
    if kind.type_ is not Run or not isinstance(found, Mapping) or "awards" not in found:
        return adapter(kind.type_).validate_python(found)
    columns = adapter(_Awards).validate_python({"awards": found["awards"]}).awards
    awards = awards_of(columns)
    content = adapter(kind.type_).validate_python({**found, "awards": ()})
    return replace(content, awards=awards) if isinstance(content, Run) else content


@dataclass(frozen=True, slots=True)
class _Awards:
    """The part of a saved Run that is not as the Run has it."""

    awards: AwardColumns


def decode(kind: DocumentKind[T], text: str, origin: str, again: str = MAKE_AGAIN) -> T:
    """Return what `encode` wrote; `origin` names the file in errors, `again` is how such a file is made.

    Raises DocumentError for anything that is not a whole, valid document of this kind in a
    format that this program knows.
    """
    with uncollected():
        return _decoded(kind, text, origin, again)


def _decoded(kind: DocumentKind[T], text: str, origin: str, again: str) -> T:
    document = _parse(text, origin, again)
    version = document.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DocumentError(
            f"format_version is {version!r}, not a whole number from 1",
            f"the file is not a document of sbir-gate, or it is damaged: {again}",
            path=origin,
        )
    if version > FORMAT_VERSION:
        raise DocumentError(
            f"format_version is {version}; this sbir-gate reads up to {FORMAT_VERSION}",
            "upgrade sbir-gate to the version that wrote the file",
            path=origin,
        )
    if document.get("kind") != kind.name:
        raise DocumentError(
            f"this is a document of kind {document.get('kind')!r}, not {kind.name!r}",
            f"name a {kind.name} document",
            path=origin,
        )
    try:
        content = _content(kind, upgraded(kind.name, document.get(kind.name), version))
    except (ValidationError, ValueError, RecursionError) as error:
        hint = f"the document is damaged or was edited by hand: {again}"
        raise _content_error(error, hint, origin) from error
    if excess := kind.excess(content):
        raise DocumentError(excess, f"no benchmark makes such a document: {again}", path=origin)
    if fault := kind.fault(content):
        raise DocumentError(fault, f"the document is damaged or was edited by hand: {again}", path=origin)
    return content


def _parse(text: str, origin: str, again: str) -> Mapping[str, object]:
    try:
        document = parse_json(text.removeprefix("\ufeff"))
    except ValueError as error:
        leftover = find_leftover(text.encode())
        if leftover is not None:
            raise DocumentError(leftover.problem, leftover.hint, path=origin, line=leftover.line) from error
        raise DocumentError(
            f"not JSON ({error})", f"the file is cut short or damaged: {again}", path=origin
        ) from error
    if not isinstance(document, dict):
        raise DocumentError("not a JSON object", "name a document that sbir-gate wrote", path=origin)
    return document


def _content_error(error: Exception, hint: str, origin: str) -> DocumentError:
    """Return the error for a document that is not as its kind must be, with the key at fault."""
    if not isinstance(error, ValidationError):
        return DocumentError(str(error), hint, path=origin)
    fault = error.errors()[0]
    key = ".".join(str(part) for part in fault["loc"]) or "document"
    value = fault["input"] if isinstance(fault["input"], str | int | float) else None
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return DocumentError(f"{broken_rule(fault)}{more}", hint, path=origin, column=key, value=value)
