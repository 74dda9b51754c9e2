"""What an enriched file that a user names must be, before an award of it is explained."""

import pytest

from sbir_gate.errors import InputError
from sbir_gate.gate.explanation import explain_enriched


@pytest.mark.parametrize("is_folder", [False, True], ids=["missing", "folder"])
def test_a_file_that_cannot_be_opened_is_named_as_the_user_named_it(tmp_path, is_folder):
    path = tmp_path / "linked.csv"
    if is_folder:
        path.mkdir()
    with pytest.raises(InputError) as caught:
        explain_enriched(path, "A1")
    assert str(path) in str(caught.value)
    assert "{output}" not in caught.value.hint
