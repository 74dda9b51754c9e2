"""The committed fixtures are what their command makes."""

import json
from pathlib import Path

import pytest

from sbir_gate.datasets.synthesising.dataset import synthesise
from sbir_gate.datasets.synthesising.options import FileFormat, SynthesisOptions

FIXTURES = Path(__file__).parents[4] / "fixtures"


@pytest.fixture(scope="module")
def fingerprint():
    return json.loads((FIXTURES / "fingerprint.json").read_text(encoding="utf-8"))


def test_the_command_makes_the_committed_bytes(tmp_path, fingerprint):
    made_from = fingerprint["made_from"]
    options = SynthesisOptions(
        made_from["awards"],
        made_from["recipients"],
        made_from["seed"],
        FileFormat(made_from["format"]),
        made_from["is_sample"],
    )
    synthesise(options, tmp_path)

    for path in tmp_path.iterdir():
        assert path.read_bytes() == (FIXTURES / path.name).read_bytes(), f"{path.name}: run 'make fixtures'"


def test_the_readme_tells_the_counts(fingerprint):
    readme = (FIXTURES / "README.md").read_text(encoding="utf-8")
    counts = [count for stratum in fingerprint["awards_by_stratum"].values() for count in stratum.values()]

    assert all(f"| {count} |" in readme for count in counts)
    assert f"{fingerprint['firms']} firms. {fingerprint['awards_without_recipient']} awards" in readme
