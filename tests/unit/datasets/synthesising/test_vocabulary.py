"""Names are made of the shipped words."""

from collections import Counter

from sbir_gate.datasets.synthesising.draws import Draws
from sbir_gate.datasets.synthesising.vocabulary import vocabulary


def test_every_template_makes_clean_names():
    for templates in (vocabulary().firm_names, vocabulary().bystander_names):
        for template in templates.items:
            name = template.one(Draws(3))
            assert name == " ".join(name.split()).upper()
            assert name


def test_one_and_many_draw_from_the_same_names():
    template = vocabulary().firm_names.items[0]
    many = template.many(Draws(4), 50)

    assert many.shape == (50,)
    assert all(len(name.split()) == len(template.one(Draws(5)).split()) for name in many)


def test_words_are_skewed():
    table = vocabulary().words["generic"]
    draws = Draws(6)
    counts = Counter(draws.weighted(table) for _ in range(5000))

    assert counts["TECHNOLOGIES"] > 4 * counts["WORKS"] > 0


def test_no_list_repeats_a_word():
    for name, table in vocabulary().words.items():
        assert len(set(table.items)) == len(table.items), name


def test_distinctive_names_have_a_coined_word():
    flags = {template.is_distinctive for template in vocabulary().firm_names.items}

    assert flags == {True, False}
