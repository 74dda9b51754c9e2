import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.engine.matching.normalise import COMMON_TOKENS
from sbir_gate.engine.matching.similarity import FEATURES, Pairs, Places, features
from sbir_gate.engine.matching.tokens import build_name_table

TOTAL = 10_000
WORDS = [
    "ACME",
    "LASER",
    "LABORATORIES",
    "LAB",
    "TECHNOLOGIES",
    "QORTEK",
    "C",
    "F",
    "D",
    "AND",
    "OF",
    "II",
    "3M",
]
NAMES = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join),
    st.text("ABCDEXYZ0189 ", min_size=1, max_size=50).map(lambda text: " ".join(text.split()) or "A"),
)
PLACES = st.tuples(
    st.sampled_from(["", "BOSTON", "AUSTIN"]),
    st.sampled_from(["", "MA", "TX"]),
    st.sampled_from(["", "02139", "02140", "73301"]),
)
NOWHERE = ("", "", "")
SYMMETRIC = (
    *(
        "token_sort",
        "token_set",
        "plain",
        "compact",
        "jaro_winkler",
        "overlap",
        "near_overlap",
        "shared_rarity",
    ),
    *(
        "same_first_token",
        "same_compact",
        "same_canonical",
        "cut_prefix",
        "acronym",
        "numbers_differ",
        "rare_token",
    ),
    *("same_zip5", "same_zip3", "zip_conflict", "same_city", "city_conflict", "same_state", "state_conflict"),
)


def objects(texts):
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def make_pairs(rows, **columns):
    """Return the name table and pairs of (query, left, right, left place, right place) rows."""
    names = sorted({name for row in rows for name in row[1:3]})

    def places(column):
        return Places(*(objects([row[column][part] for row in rows]) for part in range(3)))

    count = len(rows)
    fields = {
        "entity": objects([f"R{number}" for number in range(count)]),
        "shared_keys": np.ones(count, dtype=np.int64),
        "name_frequency": np.ones(count, dtype=np.int64),
        "uei_conflict": np.zeros(count, dtype=bool),
        "duns_conflict": np.zeros(count, dtype=bool),
        "is_cut": np.zeros(count, dtype=bool),
        "form_conflict": np.zeros(count, dtype=bool),
        "is_alias": np.zeros(count, dtype=bool),
    } | {name: np.array(values) for name, values in columns.items()}
    pairs = Pairs(
        query=np.array([row[0] for row in rows], dtype=np.int64),
        left=np.array([names.index(row[1]) for row in rows], dtype=np.int64),
        right=np.array([names.index(row[2]) for row in rows], dtype=np.int64),
        left_places=places(3),
        right_places=places(4),
        **fields,
    )
    return build_name_table(names, COMMON_TOKENS, TOTAL), pairs


def matrix_of(rows, **columns):
    names, pairs = make_pairs(rows, **columns)
    return features(pairs, names, TOTAL)


def compared(left, right, left_place=NOWHERE, right_place=NOWHERE, **columns):
    """Return the features of one pair, by name."""
    row = matrix_of(
        [(0, left, right, left_place, right_place)], **{name: [value] for name, value in columns.items()}
    )
    return dict(zip(FEATURES, row[0].tolist(), strict=True))


@given(rows=st.lists(st.tuples(st.integers(0, 3), NAMES, NAMES, PLACES, PLACES), max_size=10), data=st.data())
def test_every_feature_of_any_names_is_a_small_finite_number(rows, data):
    rows.sort(key=lambda row: row[0])
    count = len(rows)
    matrix = matrix_of(
        rows,
        name_frequency=np.array(
            data.draw(st.lists(st.integers(0, 50), min_size=count, max_size=count)), dtype=int
        ),
        shared_keys=np.array(
            data.draw(st.lists(st.integers(0, 50), min_size=count, max_size=count)), dtype=int
        ),
    )
    assert matrix.shape == (count, len(FEATURES))
    assert np.isfinite(matrix).all()
    assert (matrix >= -0.5).all()
    # what a name has too much is counted in words, a third each
    unmatched = np.char.endswith(FEATURES, "_unmatched")
    assert (matrix[:, ~unmatched] <= 1.5).all()
    words = max((len(name.split()) for row in rows for name in row[1:3]), default=0)
    assert (matrix[:, unmatched] <= words / 3 + 1e-9).all()


@given(left=NAMES, right=NAMES, left_place=PLACES, right_place=PLACES)
def test_similarity_does_not_depend_on_which_side_is_which(left, right, left_place, right_place):
    there = compared(left, right, left_place, right_place)
    back = compared(right, left, right_place, left_place)
    assert {name: there[name] for name in SYMMETRIC} == pytest.approx(
        {name: back[name] for name in SYMMETRIC}
    )
    assert there["query_unmatched"] == pytest.approx(back["recipient_unmatched"], abs=1e-9)


@given(name=NAMES, place=PLACES)
def test_a_name_is_like_itself_in_every_way(name, place):
    same = compared(name, name, place, place)
    assert same["same_compact"] == same["same_canonical"] == same["compact"] == 1.0
    assert same["compact_hinge"] == pytest.approx(1.0)
    assert same["query_unmatched"] == same["recipient_unmatched"] == same["numbers_differ"] == 0.0
    assert same["zip_conflict"] == same["city_conflict"] == same["state_conflict"] == 0.0


@given(
    rows=st.lists(st.tuples(st.integers(0, 2), NAMES, NAMES, PLACES, PLACES), min_size=1, max_size=9),
    random=st.randoms(use_true_random=False),
)
def test_the_order_of_the_pairs_of_a_query_changes_no_feature(rows, random):
    rows.sort(key=lambda row: row[0])
    shuffled = list(range(len(rows)))
    random.shuffle(shuffled)
    shuffled.sort(key=lambda place: rows[place][0])
    straight = matrix_of(rows)
    mixed = matrix_of([rows[place] for place in shuffled])
    np.testing.assert_array_equal(mixed, straight[shuffled])


def test_abbreviations_are_the_same_canonical_name():
    found = compared("ACME LASER TECHNOLOGIES", "LASER ACME TECH")
    assert (found["same_canonical"], found["same_compact"]) == (1.0, 0.0)
    assert found["token_sort"] == found["overlap"] == 1.0


def test_glued_and_split_words_are_the_same_compact_name():
    assert compared("TOYON RESEARCHCORP", "TOYON RESEARCH CORP")["same_compact"] == 1.0


def test_a_shared_rare_word_tells_more_than_a_shared_common_one():
    common, rare = compared("ALPHA SERVICES", "OMEGA SERVICES"), compared("QORTEK ALPHA", "QORTEK OMEGA")
    assert rare["shared_rarity"] > 2 * common["shared_rarity"]
    assert rare["overlap"] > common["overlap"]
    assert rare["rare_token"] == 1.0
    assert common["rare_token"] < 0.01


def test_a_word_that_the_query_lacks_is_a_lack_of_the_recipient_side():
    found = compared("QUANTUM", "QUANTUM DENTAL SUPPLY OHIO")
    assert found["token_set"] == 1.0
    assert found["query_unmatched"] == 0.0
    assert found["recipient_unmatched"] > 0.3


@pytest.mark.parametrize(
    ("left", "right", "is_near"),
    [
        ("QORTEK", "QORTECK", True),
        ("BIOSENSOR", "BIO", True),  # an abbreviation: the start of the word
        ("BI", "BIOSENSOR", False),  # two letters abbreviate nothing
        ("QORTEK", "ZANTUM", False),
    ],
)
def test_a_near_word_counts_a_little_less_than_an_equal_one(left, right, is_near):
    near = compared(f"ACME {left}", f"ACME {right}")
    assert (near["near_overlap"] > near["overlap"]) is is_near
    assert near["near_overlap"] < 1.0


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("MATERIALS AND ELECTROCHEMICAL RESEARCH", "MER", 1.0),
        ("MER OPTICS", "MATERIALS AND ELECTROCHEMICAL RESEARCH", 1.0),
        ("ACME LASER", "AL", 0.0),  # two letters are no acronym
        ("ACME LASER LABS", "ALT", 0.0),
    ],
)
def test_an_acronym_is_known_by_its_initials(left, right, expected):
    assert compared(left, right)["acronym"] == expected


@pytest.mark.parametrize(
    ("left", "right", "differ"),
    [
        ("ACME II", "ACME III", 1.0),
        ("ACME II", "ACME", 1.0),
        ("ACME 2", "ACME 3", 1.0),
        ("3M OPTICS", "OPTICS 3M", 0.0),
        ("ACME", "ACME LABS", 0.0),
    ],
)
def test_numbers_tell_sister_firms_apart(left, right, differ):
    assert compared(left, right)["numbers_differ"] == differ


@pytest.mark.parametrize(
    ("left", "right", "true_flags"),
    [
        (("BOSTON", "MA", "02139"), ("BOSTON", "MA", "02139"), {"same_zip5", "same_city", "same_state"}),
        (("", "MA", "02139"), ("", "MA", "02140"), {"same_zip3", "same_state"}),
        (
            ("BOSTON", "MA", "02139"),
            ("AUSTIN", "TX", "73301"),
            {"zip_conflict", "city_conflict", "state_conflict"},
        ),
        (NOWHERE, ("AUSTIN", "TX", "73301"), set()),
        (NOWHERE, NOWHERE, set()),
    ],
)
def test_places_agree_differ_or_are_unknown(left, right, true_flags):
    found = compared("ACME", "ACME", left, right)
    flags = {
        "same_zip5",
        "same_zip3",
        "zip_conflict",
        "same_city",
        "city_conflict",
        "same_state",
        "state_conflict",
    }
    assert {name for name in flags if found[name]} == true_flags


def test_a_name_cut_at_the_column_s_end_is_the_start_of_the_whole_one():
    cut, whole = "INFORMATION SYSTEMS LABORATORI", "INFORMATION SYSTEMS LABORATORIES"
    assert compared(cut, whole, is_cut=True)["cut_prefix"] == 1.0
    assert compared(cut, whole, is_cut=False)["cut_prefix"] == 0.0
    assert compared("ACME", "ACME LABS", is_cut=True)["cut_prefix"] == 0.0


def test_identifiers_that_contradict_are_a_feature_of_their_own():
    found = compared("ACME", "ACME", uei_conflict=True, duns_conflict=False)
    assert (found["uei_conflict"], found["duns_conflict"]) == (1.0, 0.0)


MA, TX = ("", "MA", "02139"), ("", "TX", "73301")


def column(matrix, name):
    return matrix[:, FEATURES.index(name)].tolist()


def test_namesakes_elsewhere_are_rivals_and_doubles_in_one_place_are_not():
    rows = [(0, "ACME", "ACME", MA, MA), (0, "ACME", "ACME", MA, TX), (1, "ACME", "ACME", MA, MA)]
    assert column(matrix_of(rows), "runner_ups") == pytest.approx([1 / 6, 1 / 6, 0])
    rows = [(0, "ACME", "ACME", MA, MA), (0, "ACME", "ACME", MA, MA), (0, "ACME", "ACME", MA, NOWHERE)]
    assert column(matrix_of(rows), "runner_ups") == [0, 0, 0]


def test_the_margin_is_the_lead_over_the_best_other_name():
    rows = [
        (0, "ACME LASER", "ACME LASER", MA, MA),
        (0, "ACME LASER", "ACME LAZER", MA, MA),
        (0, "ACME LASER", "ZEBRA", MA, MA),
    ]
    first, second, third = column(matrix_of(rows), "margin")
    assert first == pytest.approx(-second)
    assert 0 < first < 0.5
    assert third == -0.5
    alone = column(matrix_of(rows[:1]), "margin")[0]
    assert alone == 0.6 > first


def test_queries_do_not_see_each_other():
    one, other = (0, "ACME", "ACME", MA, TX), (1, "ACME", "ACME LABS", MA, MA)
    both = matrix_of([one, other])
    np.testing.assert_array_equal(both[0], matrix_of([one])[0])
    np.testing.assert_array_equal(both[1], matrix_of([other])[0])


def test_without_a_pair_there_is_an_empty_matrix():
    assert matrix_of([]).shape == (0, len(FEATURES))


def test_no_word_weighs_less_than_nothing():
    table = build_name_table(["SERVICES", "QORTEK", ""], {"SVC": 10 * TOTAL}, TOTAL)
    assert (table.weights >= 0).all()
    assert table.weights[1, 0] == pytest.approx(np.log(TOTAL + 1))
    assert table.tokens[2].tolist() == [-1]
