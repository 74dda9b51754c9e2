"""Places are real, and their zips belong to them."""

from sbir_gate.datasets.synthesising.draws import Draws
from sbir_gate.datasets.synthesising.geography import geography, zip_code


def test_every_state_has_a_name_and_a_place():
    assert set(geography().by_state) == set(geography().state_names)
    assert len(geography().by_state) == 52


def test_a_zip_starts_with_the_prefix_of_its_place():
    draws = Draws(1)
    for place in geography().people.items:
        zip_ = zip_code(draws, place)
        assert len(zip_) == 5
        assert zip_.isdigit()
        assert zip_.startswith(place.zip_prefix)


def test_a_zip_prefix_lies_in_one_state():
    states = {}
    for place in geography().people.items:
        assert states.setdefault(place.zip_prefix, place.state) == place.state


def test_elsewhere_is_another_state():
    draws = Draws(2)

    assert all(geography().elsewhere(draws, "CA").state != "CA" for _ in range(200))


def test_many_people_live_in_large_cities():
    draws = Draws(3)
    states = [draws.weighted(geography().people).state for _ in range(4000)]

    assert states.count("CA") > 10 * states.count("VT")
