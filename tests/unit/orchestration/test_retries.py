import random

import dagster as dg
import pytest

from sbir_gate.errors import ConfigurationError, EnricherLimitError, InputError, LimitError, ToolError
from sbir_gate.orchestration.retries import as_failures, step_retries
from tests.factories_matching import make_settings


def failure_of(error):
    with pytest.raises(dg.Failure) as raised, as_failures():
        raise error
    return raised.value


@pytest.mark.parametrize(
    ("error", "is_tried_again"),
    [
        (InputError("wrong"), False),
        (ConfigurationError("wrong"), False),
        (LimitError("too small"), False),
        (EnricherLimitError("too slow"), False),
        (ToolError("broke"), True),
    ],
    ids=repr,
)
def test_only_what_may_pass_is_tried_again(error, is_tried_again):
    assert failure_of(error).allow_retries is is_tried_again


def test_message_hint_and_what_is_kept_are_all_told():
    error = ToolError("it broke", "mend it")
    error.add_note("finished chunks are kept in x.parts")
    failure = failure_of(error)
    assert failure.description == "it broke; mend it; finished chunks are kept in x.parts"
    assert failure.metadata["status"].value == "BROKEN"


def test_a_fault_without_a_name_stays_as_it_is():
    with pytest.raises(ZeroDivisionError), as_failures():
        raise ZeroDivisionError


def pauses(**changed):
    retries = step_retries(make_settings(**changed))
    random.seed(1)
    found = [retries.calculate_delay(attempt) for attempt in range(1, 9)]
    return retries.max_retries, found


def test_the_waits_are_those_of_the_enrichment_and_have_a_cap():
    number, found = pauses()
    assert number == 3
    whole = [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert all(full / 2 <= pause <= full for pause, full in zip(found, whole, strict=True))


def test_a_constant_wait_stays():
    assert max(pauses(enrichment__performance__retry_backoff="constant")[1]) <= 0.5


def test_none_is_no_further_attempt():
    assert pauses(enrichment__performance__retry_backoff="none", orchestration__max_retries=5)[0] == 0


def test_the_own_settings_of_dagster_win_where_they_are_set():
    number, found = pauses(orchestration__max_retries=1, orchestration__retry_seconds=60.0)
    assert number == 1
    assert all(30 <= pause <= 60 for pause in found)
