"""What `sbir-gate label` prints of labels: the estimate of a whole run, and how far two reviewers agree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sbir_gate.cli.printing import harmless, put_line
from sbir_gate.errors import InputError, UsageError
from sbir_gate.files import is_same_file

if TYPE_CHECKING:
    from sbir_gate.datasets.labelling.settling import Settlement
    from sbir_gate.model.labelling import Agreement, Estimate

_EXAMPLES = 3


def print_estimate(sample_file: Path, truth: Path) -> None:
    """Print precision and recall of all awards, estimated from the labels of a sample."""
    from sbir_gate.datasets.labelling.figures import estimate_quality
    from sbir_gate.documents import load_label_sample
    from sbir_gate.reading.truth import other_ids, read_truth

    sample, labels = load_label_sample(sample_file), read_truth(truth)
    found = estimate_quality(sample, labels)
    if not found.labelled:
        problem = f"labels no award of the sample {sample_file}"
        raise InputError(problem, "name the sample that the labels were made for", path=truth)
    drawn = len(sample.drawn)
    have = "has" if found.labelled == 1 else "have"
    put_line(f"{found.labelled:,} of {drawn:,} drawn awards {have} a label; of all {sample.awards:,} awards:")
    put_line(_estimate_line("precision", found.precision))
    put_line(_estimate_line("recall", found.recall))
    if doubt := other_ids(labels, (award.linked_id for award in sample.drawn)):
        put_line(f"warning: {harmless(doubt)}", is_error=True)
    if found.missing:
        examples = ", ".join(harmless(award_id) for award_id in found.missing[:_EXAMPLES])
        such = ", such as" if len(found.missing) > _EXAMPLES else ""
        put_line(
            f"warning: {len(found.missing):,} drawn awards have no label{such}: {examples}", is_error=True
        )


def read_settlement(files: tuple[Path, Path]) -> Settlement:
    """Read two reviewers' labels. Raises UsageError for one file twice, InputError if no award is in both."""
    from sbir_gate.datasets.labelling.settling import settlement_of
    from sbir_gate.reading.truth import read_labels

    if is_same_file(*files):
        raise UsageError("is compared with itself", "name the labels of two reviewers", path=files[1])
    settlement = settlement_of(files, *map(read_labels, files))
    if not settlement.agreement.both:
        raise InputError(
            f"labels no award that {files[0]} labels",
            "compare two reviewers' labels of the same sample",
            path=files[1],
        )
    return settlement


def print_agreement(found: Agreement, *, is_error: bool = False) -> None:
    """Print in one line how far two reviewers agree."""
    kappa = "not defined" if found.kappa is None else f"{found.kappa:.3f}"
    share = f" ({100 * found.agreed / found.both:.1f}%)" if found.both else ""
    line = f"{found.both:,} awards labelled by both, {found.agreed:,} agreed{share}; Cohen's kappa {kappa}"
    put_line(line, is_error=is_error)


def print_disagreements(found: Agreement) -> None:
    """Print both answers for each award to settle."""
    for left, right in found.disagreements:
        answers = " | ".join(harmless(" ".join(one.recipient_ids) or "none") for one in (left, right))
        put_line(f"{harmless(left.award_id)}: {answers}")


def _estimate_line(name: str, estimate: Estimate) -> str:
    if estimate.rate is None or estimate.low is None or estimate.high is None:
        return f"{name:9}  not known: no labelled award counts"
    interval = f"95% interval {estimate.low:.3f} to {estimate.high:.3f}"
    return f"{name:9}  {estimate.rate:.3f}  {interval}, from {estimate.labelled:,} awards"
