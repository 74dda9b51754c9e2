"""Worlds change what is hard about the data, by as much as they say; the default changes nothing."""

import csv
import json
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from sbir_gate.cli.data import data
from sbir_gate.datasets.synthesising.dataset import synthesise
from sbir_gate.datasets.synthesising.options import SynthesisOptions
from sbir_gate.datasets.synthesising.worlds import FIXTURE_WORLD, WORLDS, Damage, World
from sbir_gate.errors import UsageError

AWARDS, RECIPIENTS = 2_000, 9_000
DESIGNATOR = re.compile(
    r"[ ,]*\b(INC|INCORPORATED|LLC|L\.L\.C|LIMITED LIABILITY COMPANY|CORP|CORPORATION|CO|COMPANY|LTD|LIMITED"
    r"|L\.?P)\.?$"
)


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a function from a world to the rows of its files, each made once."""
    known = {}

    def tables(world):
        if world not in known:
            folder = tmp_path_factory.mktemp("world")
            known[world] = synthesise(SynthesisOptions(AWARDS, RECIPIENTS, 3, world=world), folder)
        summary = known[world]
        files = (summary.awards_path, summary.recipients_path, summary.truth_path)
        return summary, *(rows(file) for file in files)

    return tables


def core(name):
    """Return a name without its designator."""
    return DESIGNATOR.sub("", name.upper())


def share_of_exact_names(tables):
    """Return how many awards with a recipient spell it as their recipient does."""
    _, awards, recipients, truth = tables
    names = {row["recipient_id"]: core(row["legal_business_name"]) for row in recipients}
    pairs = [
        (core(award["Company"]), {names[found] for found in row["recipient_ids"].split()})
        for award, row in zip(awards, truth, strict=True)
        if row["recipient_ids"]
    ]
    return sum(name in right for name, right in pairs) / len(pairs)


@pytest.mark.parametrize("percent", [10, 50, 90])
def test_firms_are_without_a_recipient(made, percent):
    summary, _, recipients, truth = made(World(without_recipient=percent))
    linked = {row["recipient_ids"] for row in truth} - {""}

    assert len(linked) / summary.firms == pytest.approx(1 - percent / 100, abs=0.06)
    assert len(recipients) == RECIPIENTS


@pytest.mark.parametrize("percent", [0, 40, 100])
def test_recipients_are_without_a_place(made, percent):
    _, _, recipients, truth = made(World(without_place=percent, name_frequency=2))
    true_ids = {found for row in truth for found in row["recipient_ids"].split()}
    for some in (recipients, [row for row in recipients if row["recipient_id"] in true_ids]):
        placeless = sum(not (row["city"] or row["state"] or row["zip"]) for row in some) / len(some)
        assert placeless == pytest.approx(percent / 100, abs=0.08)


@pytest.mark.parametrize("frequency", [0, 3, 10])
def test_names_are_as_frequent_as_asked(made, frequency):
    summary, awards, recipients, truth = made(World(name_frequency=frequency))
    firm_names = {core(award["Company"]) for award in awards}
    true_ids = {found for row in truth for found in row["recipient_ids"].split()}
    others = sum(
        core(row["legal_business_name"]) in firm_names and row["recipient_id"] not in true_ids
        for row in recipients
    )

    assert others / summary.firms == pytest.approx(frequency, rel=0.15, abs=0.05)


@pytest.mark.parametrize("percent", [0, 20, 90])
def test_awards_carry_identifiers(made, percent):
    _, awards, _, _ = made(World(identifiers=percent))
    missing = {"", "N/A", "NA", "nan", "None", "000000000", "999999999"}
    carried = sum(not {award["UEI"], award["Duns"]} <= missing for award in awards) / len(awards)

    assert carried == pytest.approx(percent / 100, abs=0.06)


@pytest.mark.slow
def test_damage_goes_from_light_to_heavy(made):
    shares = [share_of_exact_names(made(World(damage=damage))) for damage in Damage]

    assert shares[0] > shares[1] + 0.1 > shares[2] + 0.2


def test_the_fixtures_world_changes_nothing(tmp_path):
    plain = synthesise(SynthesisOptions(60, 600, 5), tmp_path / "plain")
    world = synthesise(SynthesisOptions(60, 600, 5, world=World()), tmp_path / "world")
    document = json.loads((tmp_path / "world" / "fingerprint.json").read_text(encoding="utf-8"))

    assert plain.sha256 == world.sha256
    assert WORLDS["plain"] == FIXTURE_WORLD
    assert "world" not in document["made_from"]


def test_a_world_is_in_the_fingerprint(made):
    summary, *_ = made(World(name_frequency=3))
    document = json.loads((summary.awards_path.parent / "fingerprint.json").read_text(encoding="utf-8"))

    assert World(**document["made_from"]["world"]) == World(name_frequency=3)


def test_options_change_a_named_world(tmp_path):
    size = ["--awards", "20", "--recipients", "200"]
    arguments = [*size, "--world", "hard", "--without-recipient", "10", "--damage", "light"]
    ran = CliRunner().invoke(data, ["synthesise", "--quiet", *arguments, "--output", str(tmp_path)])
    document = json.loads((tmp_path / "fingerprint.json").read_text(encoding="utf-8"))

    assert ran.exit_code == 0
    expected = replace(WORLDS["hard"], without_recipient=10, damage=Damage.LIGHT)
    assert World(**document["made_from"]["world"]) == expected


def test_there_are_twelve_worlds_and_help_explains_each():
    explained = CliRunner().invoke(data, ["synthesise", "--help"]).output.split("Worlds by name:")[1]

    assert len(WORLDS) == len(set(WORLDS.values())) == 12
    assert [word for word in explained.split() if word in WORLDS] == [*WORLDS]


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"without_recipient": 100}, "without-recipient is 100, not 0 to 99"),
        ({"without_place": -1}, "without-place is -1, not 0 to 100"),
        ({"identifiers": 101}, "identifiers is 101, not 0 to 100"),
        ({"name_frequency": 51}, "name-frequency is 51, not 0 to 50"),
    ],
)
def test_numbers_that_cannot_be_are_refused(numbers, message):
    with pytest.raises(UsageError, match=message):
        World(**numbers)


def test_a_sample_has_its_own_share_of_identifiers():
    with pytest.raises(UsageError, match="a sample deals every identifier type") as caught:
        SynthesisOptions(10, 100, 1, is_sample=True, world=World(identifiers=10))

    assert caught.value.hint == "leave out --sample or --identifiers"
