"""The data version of the recipients is that of their content, and they are read once for each state."""

import hashlib
import os

import pytest

from sbir_gate.errors import InputError
from sbir_gate.pipeline.asset_files import AssetFiles
from sbir_gate.pipeline.recipient_store import recipients_digest
from tests.factories_matching import make_settings

CONTENT = b"recipient_id,name\nR1,QUARL OPTICS INC\n"
NOT_READ = "a" * 64


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "recipients.csv"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def assets(tmp_path):
    return AssetFiles(tmp_path / "assets")


def digest_of(source, assets):
    return recipients_digest(make_settings(fixtures__recipients=str(source)), assets)


def kept(assets):
    (path,) = (assets.folder / "digests").iterdir()
    return path


def test_it_is_of_the_content_alone(source, assets):
    first = digest_of(source, assets)
    assert first == hashlib.sha256(CONTENT).hexdigest()
    os.utime(source, (0, 0))
    assert digest_of(source, assets) == first
    source.write_bytes(CONTENT.replace(b"QUARL", b"QUERL"))
    os.utime(source, (0, 0))
    assert digest_of(source, assets) != first


def test_files_that_did_not_change_are_not_read_again(source, assets):
    first = digest_of(source, assets)
    kept(assets).write_text(kept(assets).read_text().replace(first, NOT_READ))
    assert digest_of(source, assets) == NOT_READ
    source.touch()
    os.utime(source, (0, 0))
    assert digest_of(source, assets) == first


@pytest.mark.parametrize("damaged", [b"", b"\xff", b"x" * 2000, b"0 1"])
def test_what_is_kept_and_damaged_counts_for_nothing(source, assets, damaged):
    first = digest_of(source, assets)
    kept(assets).write_bytes(damaged)
    assert digest_of(source, assets) == first


def test_a_folder_that_cannot_be_written_costs_time_alone(source, assets):
    assets.folder.write_bytes(b"a file")
    assert digest_of(source, assets) == hashlib.sha256(CONTENT).hexdigest()


def test_recipients_that_are_gone_are_named(tmp_path, assets):
    with pytest.raises(InputError, match=r"recipients\.csv"):
        digest_of(tmp_path / "recipients.csv", assets)
