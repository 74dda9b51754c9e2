import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sbir_gate.errors import UsageError
from sbir_gate.gate.storing.baselines import baseline_path
from sbir_gate.pipeline.new_gate.place import gate_name, place_of, workflow_name, workflows_of
from sbir_gate.settings.values import GateName

WORKFLOW = """\
jobs:
  gate:
    steps:
      - uses: o/sbir-gate@v1
        with: {working-directory: '%s'}
"""


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("", ""),
        ("link", "link"),
        ("services/link", "services-link"),
        ("other/link", "other-link"),
        ("Services/Link", "services-link"),
        ("my_package", "my-package"),
        ("_own/x's", "own-x-s"),
        ("données/Größe", "donnees-grosse"),
    ],
)
def test_a_gate_is_named_by_the_whole_path_of_its_folder(folder, name):
    assert gate_name(folder) == name


@pytest.mark.parametrize("folder", ["連結", "données/連結", "связь", "--", "a" * 200])
def test_a_path_that_cannot_be_a_name_ends_in_a_digest_of_it(folder):
    name = gate_name(folder)
    TypeAdapter(GateName).validate_python(name)
    assert name not in {gate_name("связи"), gate_name("データ"), gate_name("a" * 201), gate_name("---")}


@given(st.text(min_size=1))
def test_the_name_of_any_folder_is_valid_as_a_setting_and_for_a_baseline(folder):
    for name in (gate_name(folder), gate_name(folder, {workflow_name(gate_name(folder))})):
        TypeAdapter(GateName).validate_python(name)
        assert baseline_path(Path("baselines"), name).stem == name


def test_one_folder_has_one_name_however_its_letters_are_composed():
    for folder in ("données", "連結 が"):
        assert gate_name(unicodedata.normalize("NFD", folder)) == gate_name(folder)


def test_a_folder_that_no_workflow_can_name_is_refused(tmp_path):
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "caf\udce9"
    folder.mkdir()
    with pytest.raises(UsageError, match="is not UTF-8"):
        place_of(folder)


def test_two_folders_whose_names_look_alike_have_gates_of_two_names(tmp_path):
    (tmp_path / ".git").mkdir()
    workflows = tmp_path / ".github" / "workflows"
    workflows.mkdir(parents=True)
    names = {}
    for _ in range(2):  # a second time nothing changes
        for folder in ("a/b", "a-b", "a_b", ".a/b"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            place = place_of(tmp_path / folder)
            found = workflows_of(place)
            name = gate_name(place.folder, found.taken)
            assert names.setdefault(folder, name) == name
            workflow = tmp_path / workflow_name(name)
            assert found.own.get(False, workflow_name(name)) == workflow_name(name)
            workflow.write_text(WORKFLOW % folder)
    assert names["a/b"] == "a-b"
    assert len(set(names.values())) == 4
