import pytest

from sbir_gate.datasets.downloading.addresses import parse_address
from sbir_gate.errors import InputError


def test_what_is_secret_in_a_url_is_not_shown():
    address = parse_address("https://me:hunter2@host.example:8443/a/dump.zip?X-Token=s3cret#part")
    assert str(address) == address.shown == "https://host.example:8443/a/dump.zip"
    assert not {"hunter2", "s3cret"} & set(repr(address).replace("?", "@").replace("=", "@").split("@"))
    assert address.url.endswith("X-Token=s3cret#part")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://h/a/award_data.csv", "award_data.csv"),
        ("https://h/a/award%20data.csv?x=1", "award_data.csv"),
        ("https://h/", ""),
        ("https://h", ""),
        ("https://h/a/..", ""),
        ("https://h/a/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "passwd"),
        ("https://h/a/..%5c..%5cevil.csv", "evil.csv"),
        ("https://h/a/%2Fetc%2F.bashrc", "bashrc"),
        ("https://h/a/-rf%00.csv", "-rf_.csv"),
        ("https://h/a/" + "x" * 500 + ".csv", "x" * 116 + ".csv"),
    ],
)
def test_the_name_of_a_file_never_leads_out_of_its_folder(url, name):
    assert parse_address(url).file_name == name


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("ftp://me:pw@host/a.csv", "the URL has ftp://"),
        ("file:///etc/passwd", "the URL has file://"),
        ("host/a.csv", "the URL has no scheme"),
        ("", "the URL has no scheme"),
        ("https:///a.csv", "names no host"),
        ("https://me:pw@host:99999/a", "its host or port cannot be read"),
        ("https://[::1/a", "its host or port cannot be read"),
        ("https://host/a b", "blanks or control characters"),
        ("https://host/a\r\nX-Evil: 1", "blanks or control characters"),
    ],
)
def test_what_cannot_be_fetched_is_refused_without_its_secrets(url, fault):
    with pytest.raises(InputError, match=fault) as caught:
        parse_address(url)
    assert caught.value.hint
    assert "pw" not in caught.value.message


def test_a_numeric_host_of_version_six_keeps_its_brackets():
    assert str(parse_address("http://[::1]:80/a")) == "http://[::1]:80/a"
