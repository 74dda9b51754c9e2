import pytest

from tests.performance.growth import Growth, check_same, fitted, table


def run(recipients, workers, cpu, sha256="a", limit_mib=0):
    return Growth(recipients, workers, cpu / 2, cpu, 500, 400, sha256, limit_mib=limit_mib)


def test_the_fit_finds_a_line_and_goes_by_relative_errors():
    line = fitted([(size, 20 + 15 * size / 1e6) for size in (1_000_000, 3_300_000, 10_000_000)])
    assert line.base == pytest.approx(20)
    assert line.per_million == pytest.approx(15)
    assert line.at(1_000_000_000) == pytest.approx(15_020)


def test_the_table_labels_what_was_not_measured_as_predicted():
    runs = [run(n * 1_000_000, 2, 20 + 15 * n, limit_mib=2_048) for n in (1, 3, 10)]
    lines = table([*runs, run(1_000_000, 0, 30)])
    assert "| 1,000,000 | no cluster | 1,024 | 15 | 30 | 500 | - |" in lines
    assert "| 10,000,000 | 2 | 1,024 | 85 | 170 | 500 | 400 (limit 2,048) |" in lines
    assert "| 2 | 3 | 20.0 | 15.0 | 0.0% | 0.4 | 4.2 |" in lines
    assert "predicted CPU hours at 1,000 million" in lines
    assert lines.count("no cluster") == 1


def test_outputs_that_differ_are_an_error():
    check_same([run(1, 0, 1), run(1, 2, 1), run(2, 2, 1, "b")])
    with pytest.raises(AssertionError, match="1 recipients: outputs differ"):
        check_same([run(1, 0, 1), run(1, 2, 1, "b")])
