import json

from sbir_gate.gate.reporting.profiles import render_json, render_listing, render_profiles
from sbir_gate.model.profile import ColumnProfile, TableListing, TableProfile

EVIL = "\x1b[31mred\x07\r\n\u202egnp\x9b"
LISTING = [TableListing("rpt", "recipient_lookup", "7.dat.gz", 1234567), TableListing("s", EVIL, "", None)]
PROFILE = TableProfile(
    "rpt",
    EVIL,
    "7.dat.gz",
    99,
    1000,
    (
        ColumnProfile("uei", 10, 990, False, 12, 12, ("CSQJZSE9KFD9", EVIL)),
        ColumnProfile("none", 1000, 0, True, None, None, ()),
    ),
)


def test_the_listing_says_what_is_known():
    assert render_listing(LISTING[:1], 100) == (
        "schema  table             rows      bytes  member\n"
        "rpt     recipient_lookup     ?  1,234,567  7.dat.gz\n"
        "1 table\n"
    )
    assert "missing" in render_listing(LISTING, 100)


def test_a_profile_marks_estimates():
    text = render_profiles([PROFILE], 120)
    assert "1,000 rows in 7.dat.gz" in text
    uei, none = text.splitlines()[2:4]
    assert uei.split()[:5] == ["uei", "10", "~990", "12", "12"]
    assert none.split() == ["none", "1,000", "0", "-", "-"]


def test_nothing_in_the_data_can_steer_a_terminal():
    for text in (render_listing(LISTING, 100), render_profiles([PROFILE], 100)):
        assert all(line.isprintable() for line in text.splitlines())
    assert len(render_profiles([PROFILE], 100).splitlines()) == 4
    for items in (LISTING, [PROFILE]):
        assert all(line.isprintable() and line.isascii() for line in render_json(items).splitlines())


def test_no_line_is_wider_than_the_terminal():
    assert max(map(len, render_profiles([PROFILE], 60).splitlines()[1:])) <= 60


def test_json_holds_all_that_is_known():
    (table,) = json.loads(render_json([PROFILE]))["tables"]
    assert table["columns"][0]["samples"] == ["CSQJZSE9KFD9", EVIL]
    assert table["rows"] == 1000
    assert json.loads(render_json(LISTING))["tables"][1]["size_bytes"] is None
