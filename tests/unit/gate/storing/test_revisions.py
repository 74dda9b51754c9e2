import hashlib

import pytest

from sbir_gate.errors import InputError, ToolError
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.merge_base import BaseName, find_base
from sbir_gate.gate.storing.revisions import file_sha256
from tests.factories_git import copied, make_repository

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 5\n"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Return a repository whose branch `change` left main before main moved on."""
    made = make_repository(tmp_path_factory.mktemp("template"))
    made.commit({"policy.yaml": "old\n", "data/a.csv": "1\n", "data/b.csv": "2\n", "data/deep/c.csv": "3\n"})
    made.branch("change")
    made.commit({"policy.yaml": "of the change\n"})
    made.git("checkout", "--quiet", "main")
    made.commit({"policy.yaml": "of the tip\n"})
    made.git("checkout", "--quiet", "change")
    return made


@pytest.fixture
def repository(tmp_path, template):
    return copied(template, tmp_path / "repository")


def revision(repository, ref="main"):
    return find_base(Git(repository.folder), BaseName(ref)).revision


def content(repository, path, ref="main"):
    found = revision(repository, ref)
    return found.read(found.blob(path), 1000)


def test_a_file_is_read_as_it_was_where_the_branch_left_the_other_not_at_its_tip(repository):
    assert content(repository, "policy.yaml") == b"old\n"


def test_neither_the_working_tree_nor_the_index_is_looked_at(repository):
    (repository.folder / "policy.yaml").write_text("not committed\n")
    repository.git("add", "policy.yaml")
    assert content(repository, "policy.yaml", "HEAD") == b"of the change\n"


def test_a_replaced_object_is_not_believed(repository):
    found = revision(repository)
    evil = repository.git("hash-object", "-w", "data/a.csv")
    repository.git("replace", found.blob("policy.yaml").object_id, evil)
    assert content(repository, "policy.yaml") == b"old\n"


def test_what_is_not_there_is_none_and_a_folder_is_no_file(repository):
    found = revision(repository)
    assert found.blob("missing.yaml") is None
    assert found.blob("data/a.csv/below") is None
    with pytest.raises(InputError, match=r"data at commit [0-9a-f]{12}: is not a file"):
        found.blob("data")


def test_a_link_is_refused_by_name(repository):
    (repository.folder / "link.yaml").symlink_to("policy.yaml")
    repository.commit({})
    with pytest.raises(InputError, match=r"link\.yaml at commit [0-9a-f]{12}: is a symbolic link"):
        revision(repository, "HEAD").blob("link.yaml")


@pytest.mark.parametrize(
    "name", ["--upload-pack=touch x", "-x", "a b", "$(touch x)", ":(top)policy.yaml", "*", "ä\n"]
)
def test_paths_mean_themselves(repository, name):
    assert revision(repository, "HEAD").blob(name) is None
    repository.commit({name: "here\n"})
    assert content(repository, name, "HEAD") == b"here\n"
    assert not (repository.folder / "x").exists()


def test_a_path_is_known_by_its_words_even_if_a_folder_became_a_link(repository, tmp_path):
    found = revision(repository)
    assert found.place_of(repository.folder / "data" / ".." / "policy.yaml") == "policy.yaml"
    assert found.place_of(tmp_path / "elsewhere.yaml") is None
    (repository.folder / "linked").symlink_to(tmp_path)
    assert found.place_of(repository.folder / "linked" / "x.yaml") == "linked/x.yaml"
    (tmp_path / "way-in").symlink_to(repository.folder)
    assert found.place_of(tmp_path / "way-in" / "policy.yaml") == "policy.yaml"


def test_large_files_are_digested_and_not_read(repository):
    large = b"line\n" * 1_000_000
    repository.commit({"large.csv": large})
    found = revision(repository, "HEAD")
    blob = found.blob("large.csv")
    assert blob.size_bytes == len(large)
    assert (
        found.sha256(blob)
        == hashlib.sha256(large).hexdigest()
        == file_sha256(repository.folder / "large.csv")
    )
    with pytest.raises(InputError, match=r"large\.csv at commit [0-9a-f]{12}: larger than 1,000 bytes"):
        found.read(blob, 1000)


def test_a_file_in_lfs_stands_for_its_content_but_cannot_be_read(repository):
    digest = hashlib.sha256(b"12345").hexdigest()
    repository.commit({"large.csv": POINTER.format(digest)})
    found = revision(repository, "HEAD")
    assert found.sha256(found.blob("large.csv")) == digest
    (repository.folder / "large.csv").write_bytes(b"12345")
    assert file_sha256(repository.folder / "large.csv") == digest
    with pytest.raises(InputError, match="is kept in Git LFS"):
        found.read(found.blob("large.csv"), 1000)


def test_files_of_a_folder_are_listed(repository):
    found = revision(repository)
    assert [blob.path for blob in found.blobs_in("data")] == ["data/a.csv", "data/b.csv", "data/deep/c.csv"]
    assert len(found.blobs_in("")) == 4
    assert found.blobs_in("nowhere") == ()


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("data/a.csv", ["data/a.csv"]),
        ("data", ["data/a.csv", "data/b.csv"]),
        ("data/*.csv", ["data/a.csv", "data/b.csv", "data/deep/c.csv"]),  # whoever reads them is stricter
        ("data/[b-z].csv", ["data/b.csv"]),
        ("data/?.csv", ["data/a.csv", "data/b.csv"]),
        ("data/**/b.csv", ["data/b.csv"]),
        ("*.yaml", ["policy.yaml"]),
        ("data/a.csv#table", ["data/a.csv"]),
        (".", ["policy.yaml"]),
        ("nowhere", []),
        ("nowhere/*.csv", []),
    ],
)
def test_a_source_is_a_file_a_folder_or_a_pattern(repository, source, paths):
    assert [blob.path for blob in revision(repository).files_of(source)] == paths


@pytest.mark.parametrize(
    "source", ["linked/a.csv", "linked", "linked/*.csv", "links/a.csv", "links", "links/*"]
)
def test_a_link_on_the_way_to_a_source_is_an_error(repository, source):
    (repository.folder / "linked").symlink_to("data")
    (repository.folder / "links").mkdir()
    (repository.folder / "links" / "a.csv").symlink_to("../data/a.csv")
    repository.commit({})
    with pytest.raises(InputError, match="is a symbolic link"):
        revision(repository, "change").files_of(source)


def test_a_submodule_counts_as_long_as_it_is_the_commit_s(repository, tmp_path):
    inner = make_repository(tmp_path / "inner")
    inner.commit({"a.csv": "1\n"})
    repository.git(
        "-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(inner.folder), "inner"
    )
    repository.commit({})
    found = revision(repository, "change")
    assert found.files_of("inner/a.csv") == ()
    (repository.folder / "inner" / "a.csv").write_text("2\n")
    with pytest.raises(InputError, match="is a submodule"):
        found.files_of("inner/a.csv")


def written(repository, path, target):
    found = revision(repository, "change")
    found.write(found.blob(path), target, repository.folder / path)
    return target.read_text()


def test_a_file_is_written_as_it_was(repository, tmp_path):
    (repository.folder / "data" / "a.csv").write_text("edited\n")
    assert written(repository, "data/a.csv", tmp_path / "deep" / "a.csv") == "1\n"


def test_a_file_of_git_lfs_is_taken_from_where_its_content_is(repository, tmp_path):
    oid = hashlib.sha256(b"large").hexdigest()
    repository.commit({"large.csv": POINTER.format(oid)})
    with pytest.raises(InputError, match="is kept in Git LFS, and its content is not on this machine"):
        written(repository, "large.csv", tmp_path / "large.csv")
    (repository.folder / "large.csv").write_text("large")
    assert written(repository, "large.csv", tmp_path / "large.csv") == "large"
    (repository.folder / "large.csv").write_text("edited")
    store = repository.folder / ".git" / "lfs" / "objects" / oid[:2] / oid[2:4] / oid
    store.parent.mkdir(parents=True)
    store.write_text("forged")
    with pytest.raises(InputError, match="is kept in Git LFS"):
        written(repository, "large.csv", tmp_path / "large.csv")
    store.write_text("large")
    assert written(repository, "large.csv", tmp_path / "large.csv") == "large"


def streamed(repository, object_id, most):
    with Git(repository.folder).stream("cat-file", "blob", object_id) as blocks:
        return [block for block, _ in zip(blocks, range(most), strict=False)]


def test_a_git_that_fails_in_a_stream_is_an_error(repository):
    with pytest.raises(ToolError, match="git cat-file ended with status"):
        streamed(repository, "0" * 40, most=9)
