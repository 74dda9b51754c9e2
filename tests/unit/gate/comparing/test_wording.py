import pytest

from sbir_gate.gate.comparing.wording import counted, number_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.7, "0.7"),
        (1.71234, "1.712"),
        (25_000.0, "25,000"),
        (9_999.6, "10,000"),
        (1e18, "1e+18"),
        (1.2e-6, "1.2e-06"),
    ],
)
def test_numbers_are_short(value, text):
    assert number_text(value) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 awards"), (1, "1 award"), (1234, "1,234 awards")])
def test_counts_agree_with_their_noun(count, text):
    assert counted(count, "award") == text
