from sbir_gate.matching.normalise import canonical_token
from sbir_gate.matching.vocabulary import BACKGROUND_NAMES, COMMON_WORDS


def test_common_words_are_canonical_so_that_they_are_found_by_the_words_of_names():
    assert [word for word in COMMON_WORDS if canonical_token(word) != word] == []


def test_counts_are_of_names_and_sorted():
    counts = list(COMMON_WORDS.values())
    assert counts == sorted(counts, reverse=True)
    assert 0 < counts[-1] <= counts[0] < BACKGROUND_NAMES
    assert len(COMMON_WORDS) > 200


def test_the_words_of_the_trade_are_among_the_commonest():
    assert list(COMMON_WORDS)[:3] == ["SVC", "SOLN", "TECH"]
