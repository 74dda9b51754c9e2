"""The account of a source: every row, which columns were taken for what, and what was not used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sbir_gate.model.chunks import LEFT_OUT, UNUSED, Observation, Remark
from sbir_gate.model.diagnosis import Diagnosis, Flaw, Gravity
from sbir_gate.model.finding import Fact
from sbir_gate.reading.derived_ids import ID_VERSION
from sbir_gate.reading.field_cells import count_of, merged
from sbir_gate.reading.layout import AWARDS, IDENTIFIERS, RECIPIENTS, Fields, Layout

_ID_FIELDS = {AWARDS.what: "award_id", RECIPIENTS.what: "recipient_id"}
_AFTER_FIRST = ", then "


@dataclass(frozen=True, slots=True)
class Account:
    """The rows of a source: `rows` were readable, `rejected` were not.

    Each readable recipient is kept or left out; each award is kept, whether it can be linked or not.
    `findings` are what was seen before the first row.
    """

    what: str
    rows: int
    rejected: int
    observations: tuple[Observation, ...] = ()
    findings: tuple[Diagnosis, ...] = ()

    @property
    def has_own_ids(self) -> bool:
        """Whether every file has a column of ids."""
        return all(found.flaw is not Flaw.READING_IDS_DERIVED for found in self.findings)

    @property
    def read(self) -> int:
        """All rows of the source."""
        return self.rows + self.rejected

    @property
    def left_out(self) -> int:
        """Readable rows that can match nothing, and are not kept for that."""
        return count_of(self.observations, *LEFT_OUT) if self.what != AWARDS.what else 0

    @property
    def kept(self) -> int:
        """Readable rows that are not left out."""
        return self.rows - self.left_out

    def counters(self) -> dict[str, int]:
        """Return the account as work counters."""
        return {
            f"{self.what}_read": self.read,
            f"{self.what}_kept": self.kept,
            f"{self.what}_rejected": self.rejected,
            f"{self.what}_left_out": self.left_out,
            f"{self.what}_identifiers_unused": count_of(self.observations, *UNUSED),
        }

    def diagnoses(self) -> Iterator[Diagnosis]:
        """Yield what there is to say: the columns, the sums of the rows, and all that was not used."""
        yield from self.findings
        seen = merged(self.observations)
        nameless, placeholder = (count_of(seen, remark) for remark in LEFT_OUT)
        if self.what == AWARDS.what:
            yield self._note(Flaw.READING_AWARDS, read=self.read, kept=self.kept, rejected=self.rejected)
            if nameless or placeholder:
                yield self._note(Flaw.READING_UNLINKABLE, nameless=nameless, placeholder=placeholder)
        else:
            counts = {"read": self.read, "kept": self.kept, "rejected": self.rejected}
            yield self._note(
                Flaw.READING_RECIPIENTS,
                **counts,
                left_out=self.left_out,
                nameless=nameless,
                placeholder=placeholder,
            )
            if nameless:
                yield Diagnosis(Gravity.WARNING, Flaw.READING_LEFT_OUT, self.what, {"count": nameless})
        for found in seen:
            if found.remark in _FLAWS:
                gravity, flaw = _FLAWS[found.remark]
                facts = {"field": found.field.upper() if found.field in IDENTIFIERS else found.field}
                yield Diagnosis(
                    gravity,
                    flaw,
                    self.what,
                    {**facts, "count": found.count, "values": tuple(map(repr, found.examples))},
                )

    def _note(self, flaw: Flaw, **facts: Fact) -> Diagnosis:
        return Diagnosis(Gravity.NOTE, flaw, self.what, facts)


_FLAWS = {
    Remark.FILLED: (Gravity.NOTE, Flaw.READING_COLUMNS_JOINED),
    Remark.CONTRADICTED: (Gravity.WARNING, Flaw.READING_COLUMNS_DIFFER),
    Remark.BAD_FORM: (Gravity.WARNING, Flaw.READING_BAD_FORM),
    Remark.PLACEHOLDER: (Gravity.NOTE, Flaw.READING_PLACEHOLDER),
    Remark.GENERIC: (Gravity.NOTE, Flaw.READING_GENERIC),
}


class ColumnLog:
    """Which columns of the files of a source were taken for what; each way of it is said once."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._found: dict[tuple[str, ...], str] = {}
        self._absent: dict[tuple[str, ...], str] = {}
        self._without_identifier: list[str] = []
        self._without_id: list[str] = []
        self._findings: list[Diagnosis] = []

    def add(
        self, file: str, columns: Sequence[str], fields: Fields, findings: Sequence[Diagnosis] = ()
    ) -> None:
        """Take note of one file, and of what was found in its header."""
        self._findings += findings
        taken = tuple(
            f"{field} from {_AFTER_FIRST.join(repr(columns[index]) for index in indexes)}"
            for field, indexes in fields.items()
        )
        self._found.setdefault(taken, file)
        absent = tuple(field for field in self._layout.names if field not in fields)
        self._absent.setdefault(tuple(field for field in absent if field not in _ID_FIELDS.values()), file)
        if _ID_FIELDS[self._layout.what] not in fields:
            self._without_id.append(file)
        if not any(field in fields for field in IDENTIFIERS):
            self._without_identifier.append(file)

    def diagnoses(self) -> tuple[Diagnosis, ...]:
        """Return what the files have and lack."""
        lacking = tuple(
            Diagnosis(Gravity.WARNING, Flaw.READING_NO_IDENTIFIER, file, {"what": self._layout.what})
            for file in self._without_identifier[:1]
        )
        id_field = _ID_FIELDS[self._layout.what]
        facts: dict[str, Fact] = {"column": id_field, "version": ID_VERSION}
        derived = tuple(
            Diagnosis(Gravity.NOTE, Flaw.READING_IDS_DERIVED, file, facts) for file in self._without_id[:1]
        )
        return (
            *(
                Diagnosis(
                    Gravity.NOTE,
                    Flaw.READING_COLUMNS,
                    file,
                    {"what": self._layout.what, "columns": "; ".join(taken)},
                )
                for taken, file in self._found.items()
            ),
            *(
                Diagnosis(Gravity.NOTE, Flaw.READING_COLUMNS_ABSENT, file, {"fields": absent})
                for absent, file in self._absent.items()
                if absent
            ),
            *self._findings,
            *derived,
            *lacking,
        )
