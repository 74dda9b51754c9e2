import codecs
import errno
import gzip
import io

import pytest

from sbir_gate.errors import InputError
from sbir_gate.reading.text import text_chunks
from tests.step_options import retry_policy

PATIENT = retry_policy(retries=3, sleep=lambda _: None)


def read(path):
    return b"".join(text_chunks(path, PATIENT)).decode()


@pytest.fixture
def written(tmp_path):
    def write(data):
        path = tmp_path / "table.csv"
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("a,é\n".encode(), "a,é\n"),
        (b"\xef\xbb\xbfa,b\n", "a,b\n"),
        (b"a\n\xef\xbb\xbfb\n", "a\nb\n"),
        ("a,é\n".encode("cp1252"), "a,é\n"),
        ("a,é\n".encode("utf-16"), "a,é\n"),
        ("Company,UEI\né,1\n".encode("utf-16-le"), "Company,UEI\né,1\n"),
        ("Company,UEI\né,1\n".encode("utf-16-be"), "Company,UEI\né,1\n"),
        ("a,é\n".encode("utf-32"), "a,é\n"),
        (codecs.BOM_UTF32_BE + "a,é\n".encode("utf-32-be"), "a,é\n"),
        ("Company,UEI\né,1\n".encode("utf-32-le"), "Company,UEI\né,1\n"),
        ("Company,UEI\né,1\n".encode("utf-32-be"), "Company,UEI\né,1\n"),
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        (b"a\x00b\n", "a b\n"),
        (b"\x9b\x83\xaa,\x81\n", "\u203aƒª,\x81\n"),
        (b"", ""),
    ],
)
def test_every_encoding_becomes_clean_utf8(written, data, text):
    assert read(written(data)) == text


def test_one_bad_byte_leaves_the_rest_of_its_line_alone(written):
    assert read(written("Société ".encode() + b"\x93x\x94\n")) == "Société “x”\n"


def test_gzip_is_known_by_its_bytes_not_its_name(written):
    assert read(written(gzip.compress(b"a,b\n") + gzip.compress(b"c,d\n"))) == "a,b\nc,d\n"


ZIPPED = gzip.compress(b"".join(b"%d,row\n" % number for number in range(5000)))


@pytest.mark.parametrize(
    "data",
    [
        ZIPPED[:-200],
        ZIPPED[:-8] + b"\0\0\0\0" + ZIPPED[-4:],
        ZIPPED + b"trailing garbage",
        ZIPPED[:5000] + b"\xff" * 50 + ZIPPED[5050:],
    ],
    ids=["cut short", "wrong checksum", "trailing garbage", "changed in the middle"],
)
def test_damaged_gzip_is_refused_with_its_place(written, data):
    path = written(data)
    with pytest.raises(InputError, match=r"table\.csv: the gzip data is damaged after line [\d,]+"):
        read(path)


@pytest.mark.parametrize(("magic", "what"), [(b"PK\x03\x04", "a zip archive"), (b"PAR1", "a Parquet file")])
def test_other_formats_under_a_text_name_are_told_apart(written, magic, what):
    with pytest.raises(InputError, match=f"is {what}, not delimited text"):
        read(written(magic + b"rest"))


def test_a_missing_file_and_a_folder_are_one_clear_error(tmp_path):
    with pytest.raises(InputError, match=r"gone\.csv: cannot be read \(No such file"):
        read(tmp_path / "gone.csv")
    with pytest.raises(InputError, match=r"cannot be read \(a folder, not a regular file\)"):
        read(tmp_path)


class FlakyDisk:
    """Opens files whose every second read fails once with EIO, as a shaky network share does."""

    def __init__(self, data, failures):
        self.data = data
        self.failures = failures
        self.opened = 0

    def __call__(self, _path):
        self.opened += 1
        return FlakyFile(self)


class FlakyFile(io.BytesIO):
    def __init__(self, disk):
        super().__init__(disk.data)
        self.disk = disk

    def read(self, size=-1):
        if self.tell() > 0 and self.disk.failures:
            self.disk.failures -= 1
            raise OSError(errno.EIO, "shaky")
        return super().read(min(size, 7))


def test_a_transient_failure_resumes_where_it_stood(tmp_path):
    data = b"".join(b"%d,row\n" % number for number in range(50))
    disk = FlakyDisk(data, failures=3)
    assert b"".join(text_chunks(tmp_path / "t.csv", PATIENT, disk)) == data
    assert disk.opened == 4


def test_a_lasting_failure_is_an_input_error(tmp_path):
    disk = FlakyDisk(b"a,b\n" * 50, failures=99)
    with pytest.raises(InputError, match=r"cannot be read \(shaky\)"):
        b"".join(text_chunks(tmp_path / "t.csv", PATIENT, disk))
