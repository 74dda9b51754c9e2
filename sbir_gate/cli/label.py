"""`sbir-gate label`: make the truth that a gate needs, and estimate quality from it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sbir_gate.cli.label_figures import (
    print_agreement,
    print_disagreements,
    print_estimate,
    read_settlement,
)
from sbir_gate.cli.options import FilePath, effective_settings, quiet_option, settings_options
from sbir_gate.cli.printing import STANDARD_OUTPUT, deliver, put_line
from sbir_gate.cli.progress import Ticker
from sbir_gate.errors import UsageError
from sbir_gate.files import check_outputs
from sbir_gate.model.labelling import AwardLabel, LabelSample, label_fault

if TYPE_CHECKING:
    from sbir_gate.datasets.labelling.page import LabelTask
    from sbir_gate.datasets.labelling.settling import Settlement
    from sbir_gate.pipeline.labelling import LabelRequest
    from sbir_gate.settings.schema import Settings

_DEFAULT_SAMPLE = Path("label-sample.json")
_DEFAULT_TRUTH = Path("truth.csv")
_LABEL_PAGE, _SETTLE_PAGE = Path("label.html"), Path("settle.html")


@click.command(
    epilog="""\b
Examples:
  sbir-gate label --awards awards.csv --recipients recipients.parquet --output label.html
  sbir-gate label --awards awards.csv --recipients recipients.parquet --serve --truth truth.csv
  sbir-gate label --estimate --sample label-sample.json --truth truth.csv
  sbir-gate label --compare anna.csv ben.csv
  sbir-gate label --compare anna.csv ben.csv --settle --awards awards.csv --recipients recipients.parquet
"""
)
@click.option("--awards", help="Awards to draw from; default: those of the settings.")
@click.option("--recipients", help="Recipients to choose from; default: those of the settings.")
@click.option("--count", type=click.IntRange(min=1), default=200, show_default=True, help="Awards to draw.")
@click.option("--seed", type=int, default=1, show_default=True, help="Decides which awards are drawn.")
@click.option("--reviewer", default="", help="Your name, kept with each label.")
@click.option(
    "--output",
    type=FilePath(),
    help=f"Page, or -; default: {_LABEL_PAGE}, with --settle {_SETTLE_PAGE}.",
)
@click.option(
    "--sample",
    "sample_file",
    type=FilePath(),
    default=_DEFAULT_SAMPLE,
    show_default=True,
    help="Which awards were drawn: written with the page, read by --estimate.",
)
@click.option("--truth", type=FilePath(), help=f"Labels made before; default: {_DEFAULT_TRUTH}.")
@click.option(
    "--serve", is_flag=True, help="Serve the page on this machine: saves to --truth, searches all recipients."
)
@click.option("--estimate", is_flag=True, help="Estimate precision and recall of all awards from the labels.")
@click.option("--compare", nargs=2, type=FilePath(), help="Two reviewers' labels: how far they agree.")
@click.option(
    "--settle", is_flag=True, help="With --compare: the page shows the awards on which they disagree."
)
@settings_options
@quiet_option
def label(
    awards: str | None,
    recipients: str | None,
    count: int,
    seed: int,
    reviewer: str,
    output: Path | None,
    sample_file: Path,
    truth: Path | None,
    serve: bool,
    estimate: bool,
    compare: tuple[Path, Path] | None,
    settle: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
    quiet: bool,
) -> None:
    """Draw the awards that are worth labelling, and write a page on which a person decides them."""
    _check_modes(compare, is_settling=settle, is_serving=serve, is_estimating=estimate)
    if fault := label_fault(AwardLabel("", (), reviewer)):
        raise UsageError(fault, "name yourself with --reviewer as you are called")
    if estimate:
        print_estimate(sample_file, truth or _DEFAULT_TRUTH)
        return
    settlement = None if compare is None else read_settlement(compare)
    if settlement is not None:
        print_agreement(settlement.agreement, is_error=output == STANDARD_OUTPUT)
        if not settle:
            print_disagreements(settlement.agreement)
            return
    from sbir_gate.engine.linking import files_of
    from sbir_gate.pipeline.labelling import LabelRequest
    from sbir_gate.settings.fixture_place import check_fixture_place

    options = {"fixtures.awards": awards, "fixtures.recipients": recipients}
    effective = effective_settings(config_file, assignments, options)
    check_fixture_place(effective)
    settings = effective.settings
    request = LabelRequest(str(settings.fixtures.awards), str(settings.fixtures.recipients), count, seed)
    page = output or (_SETTLE_PAGE if settle else _LABEL_PAGE)
    job = _Job(request, settings, settlement, page, sample_file, truth, reviewer, quiet)
    inputs = [*files_of([request.awards, request.recipients], settings), *(compare or ())]
    if serve:
        _serve(job, inputs)
    else:
        _write(job, inputs)


def _check_modes(
    compare: tuple[Path, Path] | None, *, is_settling: bool, is_serving: bool, is_estimating: bool
) -> None:
    """Raise UsageError for options of which only one can be meant."""
    if is_settling and compare is None:
        raise UsageError("--settle needs two reviewers' labels", "give them with --compare A B")
    is_comparing = compare is not None and not is_settling
    if is_estimating + (compare is not None) > 1 or is_serving + is_estimating + is_comparing > 1:
        hint = "give one of them; --compare A B --settle can be served"
        raise UsageError("--serve, --estimate and --compare exclude one another", hint)


@dataclass(frozen=True, slots=True)
class _Job:
    """The page to make: of a sample that is drawn, or of what a settlement leaves to decide."""

    request: LabelRequest
    settings: Settings
    settlement: Settlement | None
    page: Path
    sample_file: Path
    truth: Path | None
    reviewer: str
    is_quiet: bool

    def outputs(self, last: Path) -> tuple[Path, ...]:
        """Return what is written, with the file that holds the result."""
        return (last,) if self.settlement is not None else (self.sample_file, last)

    def tasks(
        self, folder: Path, *, is_indexed: bool
    ) -> tuple[LabelSample | Settlement, Sequence[LabelTask]]:
        """Link all awards, and return those to decide. A sample that is drawn is saved.

        An index of all recipients is written to the folder if it is needed here or later.
        """
        from sbir_gate.pipeline.labelling import label_tasks, settle_tasks

        with Ticker(is_quiet=self.is_quiet) as ticker:
            if self.settlement is not None:
                found = settle_tasks(self.request, self.settlement, self.settings, ticker.count, folder)
                return self.settlement, found
            index = folder if is_indexed else None
            sample, tasks = label_tasks(self.request, self.settings, ticker.count, index)
        _keep_sample(self.sample_file, sample)
        return sample, tasks


def _write(job: _Job, inputs: Sequence[Path]) -> None:
    """Write the page to a file, and say what to do with it."""
    from sbir_gate.datasets.labelling.page import render_label_page
    from sbir_gate.reading.truth import read_labels

    check_outputs(job.outputs(job.page), [*inputs, job.truth or _DEFAULT_TRUTH])
    labels = read_labels(job.truth) if job.truth is not None else {}
    with tempfile.TemporaryDirectory(prefix="sbir-gate-") as folder:
        subject, tasks = job.tasks(Path(folder), is_indexed=False)
    deliver(job.page, render_label_page(subject, tasks, labels, job.reviewer))
    if job.is_quiet:
        return
    is_printed = job.page == STANDARD_OUTPUT
    page = "the page" if is_printed else str(job.page)
    put_line(_summary(job, subject, len(tasks)), is_error=is_printed)
    how = f"open {page} in a browser; download {_DEFAULT_TRUTH} from it when you are done"
    put_line(how, is_error=is_printed)


def _summary(job: _Job, subject: LabelSample | Settlement, shown: int) -> str:
    if isinstance(subject, LabelSample):
        return f"{shown:,} of {subject.awards:,} awards drawn; the sample is in {job.sample_file}"
    agreed, alone = subject.agreement.agreed, subject.alone
    return f"{shown:,} to settle; {agreed:,} agreed labels and {alone:,} of one reviewer are taken over"


def _keep_sample(path: Path, sample: LabelSample) -> None:
    """Save which awards were drawn; another sample is never replaced, because labels are weighted by it."""
    from sbir_gate.documents import load_label_sample, save_label_sample

    if path.exists() and load_label_sample(path) != sample:
        raise UsageError(
            "holds another sample, by which the labels made for it are weighted",
            "name another file with --sample, or remove this one",
            path=path,
        )
    save_label_sample(path, sample)


def _serve(job: _Job, inputs: Sequence[Path]) -> None:
    """Serve the page until Ctrl-C; labels of other awards in the file are kept."""
    from sbir_gate.datasets.labelling.page import render_label_page
    from sbir_gate.datasets.labelling.serving import LabelFile, LabelServer, LabelService
    from sbir_gate.gate.reporting.plain_text import plain
    from sbir_gate.reading.recipient_index import find_by_name

    truth = job.truth or _DEFAULT_TRUTH
    check_outputs(job.outputs(truth), inputs)
    # a damaged file, or one that cannot be written, is named before anyone waits or decides
    LabelFile(truth).take_over(job.settlement.taken if job.settlement is not None else {})
    with tempfile.TemporaryDirectory(prefix="sbir-gate-") as folder:
        index = Path(folder)
        subject, tasks = job.tasks(index, is_indexed=True)
        kept = LabelFile(truth, frozenset(task.award_id for task in tasks))

        def page() -> str:
            return render_label_page(subject, tasks, kept.read(), job.reviewer, is_served=True)

        def search(text: str) -> list[Mapping[str, str]]:
            found = find_by_name(index, text) if text.strip() else []
            return [
                {"recipient_id": one.recipient_id, "name": plain(one.name), "uei": plain(one.uei)}
                for one in found
            ]

        with LabelServer(LabelService(page, search, kept.change)) as server:
            put_line(f"open {server.address}")
            put_line(f"labels are saved to {truth}; press Ctrl-C to stop")
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                put_line(
                    f"stopped; labels are in {truth}" if truth.exists() else "stopped; no label was made"
                )
