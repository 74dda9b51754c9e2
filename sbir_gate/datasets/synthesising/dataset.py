"""Writes a whole dataset, batch by batch: awards, recipients and the truth between them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence, Set
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from enum import IntEnum
from itertools import pairwise
from pathlib import Path

from sbir_gate.datasets.synthesising.awards import AWARD_COLUMNS, AwardRow, award_rows
from sbir_gate.datasets.synthesising.draws import Draws
from sbir_gate.datasets.synthesising.firms import Firm, FirmRegister
from sbir_gate.datasets.synthesising.options import FileFormat, SynthesisOptions, SynthesisSummary
from sbir_gate.datasets.synthesising.recipients import NO_FIRM, RECIPIENT_COLUMNS
from sbir_gate.datasets.synthesising.tables import open_table
from sbir_gate.datasets.synthesising.traps import bystander_rows, placeholder_rows, recipient_rows
from sbir_gate.datasets.synthesising.worlds import FIXTURE_WORLD
from sbir_gate.files import sha256_of, unwritable, write_output

RECIPIENTS_PER_BATCH = 100_000
AWARDS_PER_BATCH = 20_000
TRUTH_COLUMNS = ("award_id", "recipient_ids")
FINGERPRINT_NAME = "fingerprint.json"
_FEWEST_FOR_PLACEHOLDERS = 1_000
_STRATA = ("phase", "company_size", "identifier_type")

Progress = Callable[[int, int], None]


class _Purpose(IntEnum):
    """What a stream of draws is for; with seed and batch number it is the key of the stream."""

    FIRMS = 1
    AWARDS = 2
    RECIPIENTS = 3
    BYSTANDERS = 4
    ORDER = 5


@dataclass(frozen=True, slots=True)
class _Batch:
    """A slice of the dataset: the ordinals of its awards and recipients, from one to below the next."""

    number: int
    first_award: int
    awards: int
    first_recipient: int
    recipients: int


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of one batch: those of the three files, and what was dealt to each award."""

    awards: list[tuple[str, ...]]
    recipients: list[tuple[str, ...]]
    truth: list[tuple[str, str]]
    dealt: list[AwardRow]


def synthesise(
    options: SynthesisOptions, folder: Path, on_progress: Progress | None = None
) -> SynthesisSummary:
    """Write awards, recipients, truth.csv and fingerprint.json into `folder`, replacing what is there.

    The same options give the same rows on every machine. The firms (about one for six awards) are
    kept in memory; of the recipients only a batch at a time. `on_progress` is called after each batch with
    the recipients written so far and the total.

    Raises OutputError where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error, "name another folder") from error
    suffix, file_format = options.file_format.value, options.file_format
    paths = (folder / f"awards.{suffix}", folder / f"recipients.{suffix}", folder / "truth.csv")
    batches = _batches(options)
    register = FirmRegister(is_sample=options.is_sample, world=options.world)
    firms = [
        register.draw(Draws(options.seed, _Purpose.FIRMS, batch.number), batch.awards) for batch in batches
    ]
    without_recipient = 0
    strata: dict[str, Counter[str]] = {name: Counter() for name in _STRATA}
    with ExitStack() as stack:
        write_awards = stack.enter_context(open_table(paths[0], AWARD_COLUMNS, file_format))
        write_recipients = stack.enter_context(open_table(paths[1], RECIPIENT_COLUMNS, file_format))
        write_truth = stack.enter_context(open_table(paths[2], TRUTH_COLUMNS, FileFormat.CSV))
        for batch, batch_firms in zip(batches, firms, strict=True):
            rows = _rows(options, batch, batch_firms, register.names)
            write_awards(rows.awards)
            write_recipients(rows.recipients)
            write_truth(rows.truth)
            without_recipient += sum(not ids for _, ids in rows.truth)
            for name, counts in strata.items():
                counts.update(getattr(row, name).value for row in rows.dealt)
            if on_progress:
                on_progress(batch.first_recipient - 1 + batch.recipients, options.recipients)
    summary = SynthesisSummary(
        awards_path=paths[0],
        recipients_path=paths[1],
        truth_path=paths[2],
        firms=sum(map(len, firms)),
        awards_without_recipient=without_recipient,
        awards_by_stratum={name: dict(sorted(counts.items())) for name, counts in strata.items()},
        sha256={path.name: sha256_of(path) for path in paths},
    )
    _write_fingerprint(options, summary, folder / FINGERPRINT_NAME)
    return summary


def _batches(options: SynthesisOptions) -> list[_Batch]:
    count = max(-(-options.recipients // RECIPIENTS_PER_BATCH), -(-options.awards // AWARDS_PER_BATCH))
    awards = [options.awards * number // count for number in range(count + 1)]
    recipients = [options.recipients * number // count for number in range(count + 1)]
    return [
        _Batch(number, award + 1, next_award - award, recipient + 1, next_recipient - recipient)
        for number, ((award, next_award), (recipient, next_recipient)) in enumerate(
            zip(pairwise(awards), pairwise(recipients), strict=True)
        )
    ]


def _rows(options: SynthesisOptions, batch: _Batch, firms: Sequence[Firm], firm_names: Set[str]) -> _Rows:
    recipients, ids_by_firm = _recipients(options, batch, firms, firm_names)
    draws = Draws(options.seed, _Purpose.AWARDS, batch.number)
    dealt = award_rows(draws, firms, is_sample=options.is_sample, world=options.world)
    award_ids = [f"A{ordinal:07d}" for ordinal in range(batch.first_award, batch.first_award + len(dealt))]
    return _Rows(
        awards=[(award_id, *row.cells) for award_id, row in zip(award_ids, dealt, strict=True)],
        recipients=recipients,
        truth=[
            (award_id, " ".join(ids_by_firm[row.firm]))
            for award_id, row in zip(award_ids, dealt, strict=True)
        ],
        dealt=dealt,
    )


def _recipients(
    options: SynthesisOptions, batch: _Batch, firms: Sequence[Firm], firm_names: Set[str]
) -> tuple[list[tuple[str, ...]], list[list[str]]]:
    """Return the recipient rows in the order of their ids, and for each firm the ids that are truly it."""
    draws = Draws(options.seed, _Purpose.RECIPIENTS, batch.number)
    related = recipient_rows(draws, firms, batch.recipients, options.world)
    if batch.recipients - len(related) >= _FEWEST_FOR_PLACEHOLDERS:
        related += placeholder_rows(draws)
    bystanders = bystander_rows(
        Draws(options.seed, _Purpose.BYSTANDERS, batch.number),
        batch.recipients - len(related),
        firm_names,
        options.world,
    )
    bodies: list[tuple[str, ...]] = [
        (row.name, row.uei, row.duns, row.city, row.state, row.zip_code) for row in related
    ]
    bodies += bystanders
    ids_by_firm: list[list[str]] = [[] for _ in firms]
    rows: list[tuple[str, ...]] = []
    order = Draws(options.seed, _Purpose.ORDER, batch.number).order(len(bodies))
    for ordinal, position in enumerate(order, start=batch.first_recipient):
        recipient_id = f"R{ordinal:09d}"
        rows.append((recipient_id, *bodies[position]))
        if position < len(related) and related[position].firm != NO_FIRM:
            ids_by_firm[related[position].firm].append(recipient_id)
    return rows, ids_by_firm


def _write_fingerprint(options: SynthesisOptions, summary: SynthesisSummary, path: Path) -> None:
    document = {
        "made_from": {
            "awards": options.awards,
            "recipients": options.recipients,
            "seed": options.seed,
            "format": options.file_format.value,
            "is_sample": options.is_sample,
            # the fixtures' own world has no entry: their fingerprint is older than worlds
            **({} if options.world == FIXTURE_WORLD else {"world": asdict(options.world)}),
        },
        "firms": summary.firms,
        "awards_without_recipient": summary.awards_without_recipient,
        "awards_by_stratum": summary.awards_by_stratum,
        "sha256": summary.sha256,
    }
    try:
        write_output(path, f"{json.dumps(document, indent=2)}\n".encode())
    except OSError as error:
        raise unwritable(path, error) from error
