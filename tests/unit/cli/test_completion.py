import pytest

from sbir_gate.cli.completion import complete_key, complete_metric, complete_ref
from tests.factories_git import make_repository


def test_branches_and_tags_complete(tmp_path, monkeypatch):
    repository = make_repository(tmp_path)
    repository.commit({"a.txt": "a"})
    repository.git("branch", "release-1")
    repository.git("tag", "release-2")
    monkeypatch.chdir(tmp_path)
    assert complete_ref(None, None, "rel") == ["release-1", "release-2"]


def test_outside_of_a_repository_no_ref_completes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert complete_ref(None, None, "") == []


@pytest.mark.parametrize(
    ("begun", "metrics"), [("wal", ["wall_seconds"]), ("links", ["links/"]), ("xyz", [])]
)
def test_metrics_complete_and_groups_up_to_their_member(begun, metrics):
    assert complete_metric(None, None, begun) == metrics


def test_keys_complete_up_to_their_value():
    assert complete_key(None, None, "gate.max_") == ["gate.max_lost="]
