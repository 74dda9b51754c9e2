import numpy as np
import pytest

from sbir_gate.engine.matching.candidates import create_pairs
from sbir_gate.engine.matching.firms import create_firms, create_queries
from sbir_gate.engine.matching.normalise import BACKGROUND_NAMES
from sbir_gate.engine.matching.scoring import prepare_scoring, score_pairs
from sbir_gate.engine.matching.similarity import FEATURES
from tests.factories_matching import UEIS, Award, Recipient, database, load_awards, load_recipients
from tests.step_options import blocking_options


@pytest.fixture
def score(tmp_path):
    def run(awards, recipients):
        with database() as connection:
            load_awards(connection, awards)
            load_recipients(connection, recipients, tmp_path)
            create_firms(connection)
            create_queries(connection, "firms")
            create_pairs(connection, blocking_options())
            return score_pairs(connection, prepare_scoring(connection))

    return run


def feature(scored, name):
    return scored.matrix[:, FEATURES.index(name)].tolist()


def test_each_pair_has_its_features_in_the_order_of_query_and_recipient(score):
    recipients = [Recipient("R2", "ACME LASERS"), Recipient("R1", "ACME LASER"), Recipient("R3", "QORTEK")]
    scored = score([Award("A1", "Qortek"), Award("A2", "Acme Laser")], recipients)
    assert scored.query.tolist() == [0, 0, 1]
    assert scored.recipient_id.tolist() == ["R1", "R2", "R3"]
    assert scored.matrix.shape == (3, len(FEATURES))
    assert feature(scored, "same_compact") == [1.0, 0.0, 1.0]


def test_identifiers_contradict_only_where_both_sides_have_them_and_share_none(score):
    award = Award("A1", "Acme Laser", UEIS[0], "001810881 008905093")
    recipients = [
        Recipient("R1", "ACME LASER", UEIS[0], "008905093 133709001"),
        Recipient("R2", "ACME LASER", UEIS[1], "133709001"),
        Recipient("R3", "ACME LASER"),
    ]
    scored = score([award], recipients)
    assert scored.recipient_id.tolist() == ["R1", "R2", "R3"]
    assert scored.pairs.uei_conflict.tolist() == [False, True, False]
    assert scored.pairs.duns_conflict.tolist() == [False, True, False]


def test_namesakes_are_firms_not_rows(score):
    award = Award("A1", "Acme Laser")
    same_house = [Recipient(f"R{number}", "ACME LASER", state="MA", zip5="02139") for number in range(3)]
    assert set(score([award], same_house).pairs.name_frequency.tolist()) == {1}
    elsewhere = [
        Recipient("R8", "ACME LASER", state="TX"),
        Recipient("R9", "ACME, LASER", state="TX", city="AUSTIN"),
    ]
    assert set(score([award], same_house + elsewhere).pairs.name_frequency.tolist()) == {3}
    several_ueis = [Recipient(f"R{number}", "ACME LASER", uei) for number, uei in enumerate(UEIS[:4])]
    assert set(score([award], several_ueis).pairs.name_frequency.tolist()) == {4}


def test_words_are_weighed_by_the_published_names_and_those_of_the_table(score):
    award, recipient = Award("A1", "Zentrox Quarkle"), Recipient("R99", "ZENTROX QUARKLE")
    few = score([award], [recipient])
    assert few.names_counted == BACKGROUND_NAMES + 1
    assert feature(few, "rare_token") == [1.0]
    crowd = [Recipient(f"R{number}", f"ZENTROX {chr(65 + number)}LPHA QUARKLE") for number in range(20)]
    many = score([award], [recipient, *crowd])
    exact = many.recipient_id.tolist().index("R99")
    assert many.names_counted == BACKGROUND_NAMES + 21
    assert feature(many, "rare_token")[exact] == pytest.approx(1 / 21)
    assert feature(many, "shared_rarity")[exact] < feature(few, "shared_rarity")[0]
    common = score([Award("A1", "Advanced Systems")], [Recipient("R1", "ADVANCED SYSTEMS")])
    assert feature(common, "shared_rarity")[0] < feature(few, "shared_rarity")[0] - 0.2


def test_a_recipient_s_name_of_a_column_s_length_may_be_cut(score):
    cut = "INFORMATION SYSTEMS LABORATORI"
    scored = score([Award("A1", "Information Systems Laboratories Inc")], [Recipient("R1", cut)])
    assert len(cut) == 30
    assert feature(scored, "cut_prefix") == [1.0]


@pytest.mark.parametrize(
    ("awards", "recipients"),
    [
        ([Award("A1", "Acme Laser")], [Recipient("R1", "ZENITH OPTICS")]),
        ([Award("A1")], [Recipient("R1", "ZENITH OPTICS")]),
        ([Award("A1", "Acme")], [Recipient("R1", None, UEIS[0])]),
    ],
)
def test_without_candidates_there_is_nothing_to_score(score, awards, recipients):
    scored = score(awards, recipients)
    assert scored.matrix.shape == (0, len(FEATURES))
    assert scored.matrix.dtype == np.float64
