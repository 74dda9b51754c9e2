"""`sbir-gate label`: make the truth that a gate needs, and estimate quality from it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sbir_gate.cli.options import FilePath, effective_settings, quiet_option, settings_options
from sbir_gate.cli.printing import STANDARD_OUTPUT, deliver, harmless, put_line
from sbir_gate.cli.progress import Ticker
from sbir_gate.errors import UsageError
from sbir_gate.files import check_outputs

if TYPE_CHECKING:
    from sbir_gate.datasets.labelling.page import LabelTask
    from sbir_gate.model.labelling import Estimate, LabelSample

_DEFAULT_SAMPLE = Path("label-sample.json")
_DEFAULT_TRUTH = Path("truth.csv")


@click.command(
    epilog="""\b
Examples:
  sbir-gate label --awards awards.csv --recipients recipients.parquet --output label.html
  sbir-gate label --awards awards.csv --recipients recipients.parquet --serve --truth truth.csv
  sbir-gate label --estimate --sample label-sample.json --truth truth.csv
  sbir-gate label --compare anna.csv ben.csv
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
    default=Path("label.html"),
    show_default=True,
    help="Page, or -.",
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
@settings_options
@quiet_option
def label(
    awards: str | None,
    recipients: str | None,
    count: int,
    seed: int,
    reviewer: str,
    output: Path,
    sample_file: Path,
    truth: Path | None,
    serve: bool,
    estimate: bool,
    compare: tuple[Path, Path] | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    quiet: bool,
) -> None:
    """Draw the awards that are worth labelling, and write a page on which a person decides them."""
    if serve + estimate + (compare is not None) > 1:
        raise UsageError("--serve, --estimate and --compare exclude one another", "give one of them")
    if compare is not None:
        _print_agreement(*compare)
        return
    if estimate:
        _print_estimate(sample_file, truth or _DEFAULT_TRUTH)
        return
    from sbir_gate.engine.linking import files_of
    from sbir_gate.pipeline.labelling import LabelRequest, label_tasks
    from sbir_gate.reading.truth import read_labels

    settings = effective_settings(config_file, assignments, {}).settings
    request = LabelRequest(
        awards or str(settings.fixtures.awards), recipients or str(settings.fixtures.recipients), count, seed
    )
    target = truth or _DEFAULT_TRUTH
    inputs = files_of([request.awards, request.recipients], settings)
    if serve:
        check_outputs((sample_file, target), inputs)
    else:
        check_outputs((sample_file, output), [*inputs, target])
    labels = read_labels(truth) if truth is not None and (not serve or truth.exists()) else {}
    with tempfile.TemporaryDirectory(prefix="sbir-gate-") as folder:
        index = Path(folder) if serve else None
        with Ticker(is_quiet=quiet) as ticker:
            sample, tasks = label_tasks(request, settings, ticker.count, index)
        _keep_sample(sample_file, sample)
        if index is not None:
            _serve(sample, tasks, reviewer, target, index)
            return
    from sbir_gate.datasets.labelling.page import render_label_page

    deliver(output, render_label_page(sample, tasks, labels, reviewer))
    if not quiet:
        is_printed = output == STANDARD_OUTPUT
        page = "the page" if is_printed else str(output)
        lines = (
            f"{len(tasks):,} of {sample.awards:,} awards drawn; the sample is in {sample_file}",
            f"open {page} in a browser; download {_DEFAULT_TRUTH} from it when you are done",
        )
        for line in lines:
            put_line(line, is_error=is_printed)


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


def _serve(sample: LabelSample, tasks: Sequence[LabelTask], reviewer: str, truth: Path, index: Path) -> None:
    """Serve the page until Ctrl-C; labels of other awards in the file are kept."""
    from sbir_gate.datasets.labelling.page import render_label_page
    from sbir_gate.datasets.labelling.serving import LabelFile, LabelServer, LabelService
    from sbir_gate.reading.recipient_index import find_by_name

    kept = LabelFile(truth, frozenset(task.award_id for task in tasks))

    def page() -> str:
        return render_label_page(sample, tasks, kept.read(), reviewer, is_served=True)

    def search(text: str) -> list[Mapping[str, str]]:
        found = find_by_name(index, text) if text.strip() else []
        return [{"recipient_id": one.recipient_id, "name": one.name, "uei": one.uei} for one in found]

    page()  # a damaged file is named before anyone decides
    with LabelServer(LabelService(page, search, kept.change)) as server:
        put_line(f"open {server.address}")
        put_line(f"labels are saved to {truth}; press Ctrl-C to stop")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            put_line(f"stopped; labels are in {truth}" if truth.exists() else "stopped; no label was made")


def _print_estimate(sample_file: Path, truth: Path) -> None:
    from sbir_gate.datasets.labelling.figures import estimate_quality
    from sbir_gate.documents import load_label_sample
    from sbir_gate.reading.truth import read_truth

    sample = load_label_sample(sample_file)
    found = estimate_quality(sample, read_truth(truth))
    drawn = len(sample.drawn)
    put_line(f"{found.labelled:,} of {drawn:,} drawn awards have a label; of all {sample.awards:,} awards:")
    put_line(_estimate_line("precision", found.precision))
    put_line(_estimate_line("recall", found.recall))
    if found.missing:
        examples = ", ".join(harmless(award_id) for award_id in found.missing[:3])
        put_line(f"warning: {len(found.missing):,} drawn awards have no label: {examples}", is_error=True)


def _estimate_line(name: str, estimate: Estimate) -> str:
    if estimate.rate is None or estimate.low is None or estimate.high is None:
        return f"{name:9}  not known: no labelled award counts"
    interval = f"95% interval {estimate.low:.3f} to {estimate.high:.3f}"
    return f"{name:9}  {estimate.rate:.3f}  {interval}, from {estimate.labelled:,} awards"


def _print_agreement(first: Path, second: Path) -> None:
    from sbir_gate.datasets.labelling.figures import agreement
    from sbir_gate.reading.truth import read_labels

    found = agreement(read_labels(first), read_labels(second))
    kappa = "not defined" if found.kappa is None else f"{found.kappa:.3f}"
    share = f" ({100 * found.agreed / found.both:.1f}%)" if found.both else ""
    put_line(f"{found.both:,} awards labelled by both, {found.agreed:,} agreed{share}; Cohen's kappa {kappa}")
    for left, right in found.disagreements:
        answers = " | ".join(harmless(" ".join(one.recipient_ids) or "none") for one in (left, right))
        put_line(f"{harmless(left.award_id)}: {answers}")
