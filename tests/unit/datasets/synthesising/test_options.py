"""Only sizes that can be made are accepted."""

import pytest

from sbir_gate.datasets.synthesising.options import SynthesisOptions
from sbir_gate.errors import ExitStatus, UsageError


@pytest.mark.parametrize(
    ("awards", "recipients", "seed", "fault"),
    [
        (0, 10, 1, "--awards is 0, not 1 to 9,999,999"),
        (-5, 10, 1, "--awards is -5, not 1 to 9,999,999"),
        (10_000_000, 20_000_000, 1, "--awards is 10,000,000, not 1 to 9,999,999"),
        (1, 9, 1, "--recipients is 9, not 10 to 999,999,999"),
        (1000, 999, 1, "--recipients is 999, not 1,000 to 999,999,999"),
        (1000, 1_000_000_000, 1, "--recipients is 1,000,000,000, not 1,000 to 999,999,999"),
        (1, 10, -1, "--seed is -1, below 0"),
    ],
)
def test_sizes_that_cannot_be_are_refused(awards, recipients, seed, fault):
    with pytest.raises(UsageError) as caught:
        SynthesisOptions(awards, recipients, seed)

    assert caught.value.message == fault
    assert caught.value.hint
    assert caught.value.exit_status is ExitStatus.WRONG_INPUT


def test_the_smallest_and_the_largest_are_accepted():
    assert SynthesisOptions(1, 10, 0).awards == 1
    assert SynthesisOptions(9_999_999, 999_999_999, 2**40).seed == 2**40
