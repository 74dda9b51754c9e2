from pathlib import Path

import pytest

from sbir_gate.settings.entries import Entry
from sbir_gate.settings.layers import (
    MAX_FILE_BYTES,
    assignment_layer,
    base_layer,
    environment_layer,
    file_layer,
    option_layer,
)


def only_fault(layer):
    assert layer.entries == ()
    (fault,) = layer.faults
    return str(fault)


def test_the_defaults_come_from_the_base_file_of_the_checkout():
    layer = base_layer()
    assert layer.faults == ()
    entry = next(entry for entry in layer.entries if entry.key == "enrichment.performance.chunk_size")
    assert entry.value == 10_000
    assert entry.origin.startswith("config/base.yaml:")


def test_a_missing_file_is_named(tmp_path):
    assert only_fault(file_layer(tmp_path / "no.yaml")) == (
        f"{tmp_path / 'no.yaml'}: no such file; check the path"
    )


def test_a_folder_is_no_file(tmp_path):
    assert only_fault(file_layer(tmp_path)) == f"{tmp_path}: cannot be read: a folder, not a regular file"


def test_a_path_with_a_nul_is_no_file(tmp_path):
    assert "cannot be read" in only_fault(file_layer(tmp_path / "a\0b"))


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "c.yaml").touch()
    assert "is empty" in only_fault(file_layer(tmp_path / "c.yaml"))


def test_a_file_that_is_not_utf_8_is_refused_with_the_line(tmp_path):
    (tmp_path / "c.yaml").write_bytes(b"gate:\n  name: caf\xe9\n")
    assert only_fault(file_layer(tmp_path / "c.yaml")) == (
        f"{tmp_path / 'c.yaml'}:2: is not UTF-8; save the file as UTF-8"
    )


def test_a_byte_order_mark_is_read_over(tmp_path):
    (tmp_path / "c.yaml").write_bytes(b"\xef\xbb\xbfgate:\n  name: x\n")
    assert [entry.key for entry in file_layer(tmp_path / "c.yaml").entries] == ["gate.name"]


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path):
    (tmp_path / "c.yaml").write_bytes(b"a: 1\n" + b"#" * MAX_FILE_BYTES)
    assert "larger than 1,048,576 bytes" in only_fault(file_layer(tmp_path / "c.yaml"))


def test_an_endless_file_is_refused():
    assert "a device, not a regular file" in only_fault(file_layer(Path("/dev/zero")))


def test_variables_set_keys_and_are_named_as_origins():
    layer = environment_layer(
        {
            "SBIR_GATE__GATE__MAX_LOST": "3",
            "SBIR_GATE__MATCHING__METHODS": "[uei-exact, duns-exact]",
            "SBIR_GATE__ENRICHER__COMMAND": " run {awards} ",
            "SBIR_GATE_TOKEN": "no key",
            "PATH": "/bin",
        }
    )
    assert layer.faults == ()
    assert layer.entries == (
        Entry("enricher.command", "run {awards}", "SBIR_GATE__ENRICHER__COMMAND"),
        Entry("gate.max_lost", 3, "SBIR_GATE__GATE__MAX_LOST"),
        Entry("matching.methods", ("uei-exact", "duns-exact"), "SBIR_GATE__MATCHING__METHODS"),
    )


def test_a_variable_in_small_letters_is_refused_so_that_no_two_mean_the_same():
    assert only_fault(environment_layer({"SBIR_GATE__gate__name": "x"})) == (
        "SBIR_GATE__gate__name: gate.name: write the variable in capitals: SBIR_GATE__GATE__NAME"
    )


def test_assignments_are_split_at_the_first_equals_sign():
    assert assignment_layer(["enricher.command=run --a=b", "gate.max_lost=1"]).entries == (
        Entry("enricher.command", "run --a=b", "--set"),
        Entry("gate.max_lost", 1, "--set"),
    )


@pytest.mark.parametrize("text", ["gate.max_lost", ""])
def test_an_assignment_without_an_equals_sign_is_refused(text):
    assert "must be KEY=VALUE" in only_fault(assignment_layer([text]))


def test_options_that_were_not_given_set_nothing_and_lists_become_tuples():
    layer = option_layer({"gate.name": None, "matching.methods": ["uei-exact"], "benchmark.repeats": 2})
    assert layer.entries == (
        Entry("matching.methods", ("uei-exact",), "command line"),
        Entry("benchmark.repeats", 2, "command line"),
    )
