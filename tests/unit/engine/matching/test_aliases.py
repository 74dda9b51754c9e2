import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.engine.matching.aliases import is_remark, names_within


def found(name):
    """Return the other names in a name: its own, and the aliases."""
    own = [within["name"] for within in names_within(name) if not within["is_alias"]]
    return own, [" ".join(within["name"].split()) for within in names_within(name) if within["is_alias"]]


@pytest.mark.parametrize(
    ("name", "own", "aliases"),
    [
        ("Acme Labs, Inc. dba Bright Optics", ["Acme Labs, Inc."], ["Bright Optics"]),
        ("ACME LABS D/B/A BRIGHT OPTICS", ["ACME LABS"], ["BRIGHT OPTICS"]),
        ("Acme Labs D.B.A. Bright", ["Acme Labs"], ["Bright"]),
        ("Acme Labs LLC / DBA: Bright", ["Acme Labs LLC"], ["Bright"]),
        ("Acme Labs Inc. (DBA) Bright", ["Acme Labs Inc."], ["Bright"]),
        ("Acme doing business as Bright Optics", ["Acme"], ["Bright Optics"]),
        ("Acme (formerly Old Lens LLC)", ["Acme"], ["Old Lens LLC"]),
        ("Acme, formerly known as Old Lens", ["Acme"], ["Old Lens"]),
        ("Acme a/k/a Bright", ["Acme"], ["Bright"]),
        ("DBA Bright Optics", ["Bright Optics"], []),
        ("Acme Widgets Inc", [], []),
        ("dba dba dba", [], []),
        ("", [], []),
    ],
)
def test_the_name_before_a_mark_is_the_firms_own_and_the_others_are_aliases(name, own, aliases):
    assert found(name) == (own, aliases)


@pytest.mark.parametrize(
    ("name", "own", "aliases"),
    [
        ("HARBOR AVIATION (OPTICS) INC.", [], ["HARBOR AVIATION INC.", "OPTICS"]),
        ("VELTRIX (MARINE STAFFING) SOLUTIONS", [], ["VELTRIX SOLUTIONS", "MARINE STAFFING"]),
        ("Acme [Bright Optics]", [], ["Acme", "Bright Optics"]),
        ("Acme Optics (日本)", [], ["Acme Optics"]),
        ("Advanced Optics Institute (AOI)", ["Advanced Optics Institute"], ["AOI"]),
        ("Acme (Private) Ltd T/A Bright (Lenses)", ["Acme   Ltd"], ["Bright", "Lenses"]),
        ("Acme ((Bright) Optics)", [], ["Acme", "Bright", "Optics"]),
    ],
)
def test_a_text_in_brackets_may_be_a_part_of_the_name_or_another(name, own, aliases):
    assert found(name) == (own, aliases)


@pytest.mark.parametrize(
    "remark",
    [
        *("INACTIVE", "THE", "USA", "U.S.A.", "US", "Ohio", "OH", "of Ohio", "York, ME", "Not for profit"),
        *("an Ohio corporation", "Inc.", "Private", "Pty", " "),
    ],
)
def test_a_remark_is_no_name_and_takes_nothing_from_the_name(remark):
    assert is_remark(remark)
    assert found(f"Acme Lasers ({remark})")[1] == []
    assert found(f"Acme Lasers ({remark})")[0] in ([], ["Acme Lasers"])


def test_the_name_without_a_remark_is_as_good_as_with_it():
    assert found("Acme Lasers (INACTIVE)") == (["Acme Lasers"], [])
    assert found("Acme Lasers (USA) Inc") == (["Acme Lasers   Inc"], [])


@given(name=st.text(st.sampled_from("ab  ()[]DBA日,"), max_size=40) | st.text(max_size=60))
def test_names_within_are_distinct_telling_and_never_the_name_itself(name):
    names = [within["name"] for within in names_within(name)]
    assert len({*names}) == len(names)
    assert name.strip() not in names
    assert all(sum(letter.isascii() and letter.isalnum() for letter in within) >= 3 for within in names)
    assert sum(not within["is_alias"] for within in names_within(name)) <= 1
