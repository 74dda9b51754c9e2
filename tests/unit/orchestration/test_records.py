import dagster as dg
import pytest

from sbir_gate.errors import InputError
from sbir_gate.orchestration.records import FINGERPRINT, PATH, Recorded, read_later, recorded

KEY = dg.AssetKey("table")


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run_of(instance, path, parent=None, partition=None):
    """Run an asset that says it wrote a file, and return the run."""

    @dg.asset(key=KEY, partitions_def=dg.StaticPartitionsDefinition(["1", "2"]) if partition else None)
    def table():
        metadata = {PATH: dg.MetadataValue.path(path), FINGERPRINT: dg.MetadataValue.text(f"print of {path}")}
        return dg.MaterializeResult(metadata=metadata)

    tags = {"dagster/parent_run_id": parent.run_id} if parent else {}
    return dg.materialize([table], instance=instance, partition_key=partition, tags=tags).dagster_run


def empty_run(parent=None):
    ids = {"parent_run_id": parent.run_id, "root_run_id": parent.run_id} if parent else {}
    return dg.DagsterRun("job", run_id="2b4ee2a8-0000-4000-8000-000000000000", **ids)


def test_a_run_reads_what_it_made_itself_whatever_was_made_since(instance):
    mine, _ = run_of(instance, "/mine/t"), run_of(instance, "/other/t")
    found = recorded(instance, mine, KEY, None)
    assert (str(found.path), found.fingerprint, found.run_id) == ("/mine/t", "print of /mine/t", mine.run_id)
    assert str(found.place.folder) == "/mine"


def test_else_what_the_run_made_that_it_resumes(instance):
    first, _ = run_of(instance, "/mine/t"), run_of(instance, "/other/t")
    assert str(recorded(instance, empty_run(first), KEY, None).path) == "/mine/t"


def test_else_the_latest_of_its_partition(instance):
    for path, partition in (("/1/a", "1"), ("/1/b", "1"), ("/2/a", "2")):
        run_of(instance, path, partition=partition)
    assert str(recorded(instance, empty_run(), KEY, "1").path) == "/1/b"
    assert {str(path) for path in read_later(instance, KEY)} == {"/1", "/2"}
    with pytest.raises(InputError, match="table of 3 was never materialised"):
        recorded(instance, empty_run(), KEY, "3")


def test_a_record_without_a_fingerprint_is_refused():
    found = Recorded(KEY, "", {PATH: dg.MetadataValue.path("/t")})
    with pytest.raises(InputError, match="without its fingerprint, by another version"):
        found.place  # noqa: B018 -- the property raises
