import pytest

from sbir_gate.gate.reporting.policy_view import fixture_text
from sbir_gate.model.finding import Finding, Rule, Severity
from sbir_gate.model.fixture_edits import FixtureEdits, RowEdits

OBSTACLE = Finding(Rule.FIXTURE_EDIT_UNJUDGED, Severity.FAIL, facts={"obstacle": "it broke"})
COMMIT = "9837899aac89" + "0" * 28


@pytest.mark.parametrize(
    ("edits", "text"),
    [
        (
            FixtureEdits(COMMIT, RowEdits(removed=40), truth=RowEdits(changed=36), altered_labels=36),
            "labels of 36 awards changed, 36 of them for links that this change alters; 40 awards removed; ",
        ),
        (FixtureEdits(COMMIT, recipients=RowEdits(1, 2, 3)), "2 recipients removed; 3 recipients changed; 1"),
        (FixtureEdits(COMMIT, truth=RowEdits(added=1), altered_labels=0), "labels of 1 award added; judged"),
        (FixtureEdits(COMMIT), "the files differ, their rows do not; judged on that of commit 9837899aac89."),
        (
            FixtureEdits(COMMIT, is_redrawn=True),
            "how the awards were drawn changed; judged on that of commit",
        ),
        (FixtureEdits(COMMIT, obstacle=OBSTACLE), "the files differ, their rows do not; not judged on"),
        (FixtureEdits(COMMIT, is_counted=False, obstacle=OBSTACLE), "its rows could not be compared; not"),
    ],
)
def test_what_is_edited_is_said_in_numbers(edits, text):
    assert fixture_text(edits).startswith(f"Fixture: {text}")
