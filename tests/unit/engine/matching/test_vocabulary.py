from sbir_gate.engine.matching.normalise import BACKGROUND_NAMES, COMMON_TOKENS, canonical_token


def test_common_words_are_canonical_so_that_they_are_found_by_the_words_of_names():
    assert [
        word for word in COMMON_TOKENS if word not in {canonical_token(word), canonical_token(f"{word}S")}
    ] == []


def test_counts_are_shares_of_the_names_that_they_stand_for():
    assert len(COMMON_TOKENS) > 200
    assert all(0 < count < BACKGROUND_NAMES for count in COMMON_TOKENS.values())


def test_the_words_of_the_trade_are_among_the_commonest():
    commonest = sorted(COMMON_TOKENS, key=COMMON_TOKENS.__getitem__, reverse=True)[:20]
    assert {"SVC", "SOLN", "TECH", "SYS"} <= set(commonest)
