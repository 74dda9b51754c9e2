import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sbir_gate.pipeline.new_gate.preparation import gate_name
from sbir_gate.settings.values import FileStem


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("", ""),
        ("link", "link"),
        ("services/link", "services-link"),
        ("other/link", "other-link"),
        ("Services/Link", "services-link"),
        ("_own/x's", "own-x-s"),
        ("a" * 200, "a" * 80),
    ],
)
def test_a_gate_is_named_by_the_whole_path_of_its_folder(folder, name):
    assert gate_name(folder) == name


@given(st.text())
def test_the_name_of_any_folder_is_empty_or_valid_as_a_setting(folder):
    if name := gate_name(folder):
        TypeAdapter(FileStem).validate_python(name)
