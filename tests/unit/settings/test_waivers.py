from datetime import date

import pytest

from sbir_gate.errors import ConfigurationError
from sbir_gate.model.waiver import NEVER_WAIVED, PLACEHOLDERS, Waiver
from sbir_gate.settings.waivers import load_waivers, parse_waivers, read_waivers

WHOLE = """\
# agreed in the review of the new reader
waivers:
  - metric: wall_seconds
    limit: 40
    reason: the new reader checks
      every row
    owner: ana@example.org
    expires: 2026-12-31
    pr: 123
  - {metric: awards, limit: 12, reason: cleaner names, owner: Bo, expires: 2026-11-30, pr: "https://h.example/7"}
"""


def faults(text):
    with pytest.raises(ConfigurationError) as caught:
        read_waivers(text.encode(), "w.yaml")
    has_own_hints = all(fault.hint for fault in caught.value.faults)
    assert has_own_hints or "sbir-gate help policy" in caught.value.hint
    return caught.value.message.splitlines()


def changed(**fields):
    """Return a file with one waiver, with fields replaced or (None) left out."""
    whole = {
        "metric": "wall_seconds",
        "limit": "40",
        "reason": "because",
        "owner": "ana",
        "expires": "2026-12-31",
        "pr": "7",
    } | fields
    return "waivers:\n  - " + "\n    ".join(
        f"{key}: {value}" for key, value in whole.items() if value is not None
    )


def test_a_whole_file_is_read_with_where_each_waiver_stands():
    assert read_waivers(WHOLE.encode(), "w.yaml") == (
        Waiver(
            metric="wall_seconds",
            limit=40.0,
            reason="the new reader checks every row",
            owner="ana@example.org",
            expires=date(2026, 12, 31),
            pr="123",
            origin="w.yaml:3",
        ),
        Waiver("awards", 12.0, "cleaner names", "Bo", date(2026, 11, 30), "https://h.example/7", "w.yaml:10"),
    )


def test_the_former_name_of_a_waiver_for_awards_is_still_read():
    (found,) = read_waivers(changed(metric="records", limit="7").encode(), "w.yaml")
    assert (found.metric, found.limit, found.former_name) == ("awards", 7, "records")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "waivers:\n", "waivers: []\n", "waivers: null\n"])
def test_a_file_may_hold_no_waivers(text):
    assert read_waivers(text.encode(), "w.yaml") == ()


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"limit": None}, "w.yaml:2: the waiver lacks limit"),
        ({"owner": None, "pr": None}, "w.yaml:2: the waiver lacks owner, pr"),
        ({"limit": "much"}, "w.yaml:3: limit: must be a number ('much')"),
        ({"limit": "-1"}, "w.yaml:3: limit: must be at least 0 (-1)"),
        ({"limit": "true"}, "w.yaml:3: limit: must be a number (true)"),
        ({"reason": '" "'}, "w.yaml:4: reason: must be text (' ')"),
        ({"owner": "7"}, "w.yaml:5: owner: must be text (7)"),
        (
            {"expires": "2026-02-30"},
            "w.yaml:6: expires: must be a day that exists, as 2026-12-31 ('2026-02-30')",
        ),
        ({"expires": "20261231"}, "w.yaml:6: expires: must be a day that exists, as 2026-12-31 (20261231)"),
        ({"expires": "never"}, "w.yaml:6: expires: must be a day that exists, as 2026-12-31 ('never')"),
        (
            {"pr": "javascript:alert(1)"},
            "w.yaml:7: pr: must be the number of a pull request, or its https://",
        ),
        ({"pr": "0"}, "w.yaml:7: pr: must be the number of a pull request, or its https:// address (0)"),
        (
            {"expiry": "2026-12-31"},
            "w.yaml:8: expiry: unknown key; did you mean expires?",
        ),
        (
            {"metric": "Wall Seconds"},
            "w.yaml:2: metric: must be a metric, as recall or links/uei-exact ('Wall Seconds')",
        ),
        ({"metric": "awards", "limit": "2.5"}, "w.yaml:3: limit: must be a whole number of awards (2.5)"),
    ],
)
def test_each_fault_is_one_line_with_file_line_and_key(fields, fault):
    (line,) = faults(changed(**fields))
    assert line.startswith(fault)


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        (PLACEHOLDERS, "reason and owner"),
        ({"reason": PLACEHOLDERS["reason"]}, "reason"),
        ({"owner": PLACEHOLDERS["owner"]}, "owner"),
    ],
)
def test_a_waiver_that_was_copied_and_not_edited_is_refused_in_one_line(fields, names):
    assert faults(changed(**fields)) == [
        f"w.yaml:2: the waiver still has the placeholder of its {names}; write your own"
    ]


def test_a_fault_carries_its_place_and_value_as_fields():
    with pytest.raises(ConfigurationError) as caught:
        read_waivers(changed(limit="-1").encode(), "w.yaml")
    fault = caught.value.fault
    assert (fault.path, fault.line, fault.column, fault.value) == ("w.yaml", 3, "limit", -1)


def test_all_faults_are_told_at_once():
    two = changed(limit="x", pr="y") + "\n" + changed(owner=None).partition("\n")[2]
    assert [line.split(": ")[0] for line in faults(two)] == ["w.yaml:3", "w.yaml:7", "w.yaml:8"]


@pytest.mark.parametrize("metric", sorted(NEVER_WAIVED))
def test_what_says_that_the_work_was_not_done_cannot_be_waived(metric):
    (line,) = faults(changed(metric=metric))
    assert "can never be waived" in line


def test_a_metric_is_waived_once():
    twice = changed() + "\n" + changed(limit="50").partition("\n")[2]
    assert faults(twice) == ["w.yaml:8: wall_seconds: is waived twice, first in w.yaml:2"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("waivers: [", "w.yaml:1: not valid YAML"),
        ("waiver: []", "w.yaml:1: must hold one key, 'waivers', and nothing else"),
        ("waivers: []\nmore: 1", "w.yaml:1: must hold one key, 'waivers', and nothing else"),
        ("- metric: x", "w.yaml:1: must hold one key, 'waivers', and nothing else"),
        ("waivers: {metric: x}", "w.yaml:1: waivers: must be a list: begin each item with '- '"),
        ("waivers:\n  - wall_seconds", "w.yaml:2: waivers: each item must hold keys"),
        ("waivers:\n  - &a {metric: x}", "w.yaml:2: not valid YAML: anchors and aliases are not allowed"),
        (changed() + "\n    limit: 90", "w.yaml:8: limit: is set twice, first in line 3: keep one of them"),
        (changed(limit="{a: 1}"), "w.yaml:3: limit.a: unknown key"),
        ("waivers:\n" + "  - {}\n" + "\x00", "w.yaml: not valid YAML"),
        ("a" * 1_100_000, "w.yaml: is larger than 1 MiB"),
        ("[" * 3000, "w.yaml"),
    ],
)
def test_a_file_of_another_shape_is_refused_with_its_place(text, fault):
    assert any(line.startswith(fault) for line in faults(text)), faults(text)


def test_what_is_no_utf8_is_refused():
    _, (fault,) = parse_waivers(b"waivers:\n  - metric: \xff\n", "w.yaml")
    assert str(fault) == "w.yaml:2: is not UTF-8; save the file as UTF-8"


def test_a_default_file_that_is_missing_holds_none_and_a_named_one_is_an_error(tmp_path):
    path = tmp_path / "waivers.yaml"
    assert load_waivers(path, is_required=False) == ()
    with pytest.raises(ConfigurationError, match=r"no such file, but gate\.waivers_file names it"):
        load_waivers(path, is_required=True)
    path.write_text(WHOLE)
    assert [waiver.metric for waiver in load_waivers(path, is_required=True)] == ["wall_seconds", "awards"]


def test_a_folder_in_its_place_is_an_error(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_waivers(tmp_path, is_required=False)
