import json
from dataclasses import replace

import jsonschema
import yaml

from sbir_gate.gate.reporting.quantities import MINUS
from sbir_gate.gate.reporting.trial import render_trial, render_trial_json
from sbir_gate.model.finding import Finding, LimitKind, Rule, Severity
from sbir_gate.model.trial import (
    AdvisedSetting,
    Case,
    Ends,
    Found,
    GateRuns,
    LeftOut,
    Omission,
    Planted,
    PlantedLinks,
    Seen,
    Trial,
)
from sbir_gate.model.verdict import Outcome
from tests.document_schemas import trial_schema


def runs(pairs, failed):
    share = failed // 100
    seen = Seen(Ends(20 // pairs, share * 20 // pairs), Ends(100, failed, 2, 1), 30.0 / pairs)
    return GateRuns(pairs, pairs - 0.5, pairs * 12.0, seen, seen)


def make_trial(**changes):
    trial = Trial(
        gate="enrichment",
        engine="'{python}' enrich.py",
        awards=1000,
        seed=1,
        budget_seconds=600.0,
        engine_seconds=1.4,
        engine_mib=180.0,
        overhead_seconds=2.0,
        spent_seconds=412.0,
        unchanged=Outcome.PASS,
        cases=(
            Case(0.0, 20, True, 0.3, -0.1, 3.0, 3.0, (runs(5, 0), runs(10, 0), runs(20, 0))),
            Case(50.0, 10, False, 50.2, None, 3.0, 3.0, (runs(5, 100), runs(10, 100))),
        ),
        found=(Found(Planted.TIME, 5, 50.0), Found(Planted.TIME, 10, 50.0), Found(Planted.MEMORY, 5, None)),
        links=(PlantedLinks(Planted.LOST, 6, 5, 5), PlantedLinks(Planted.SWAPPED, 6, 5, 4)),
        advice=(
            AdvisedSetting("benchmark.min_pairs", 5.0, 5.0),
            AdvisedSetting("benchmark.max_pairs", 10.0, 40.0),
            AdvisedSetting("gate.metrics.wall_seconds.warn_percent", 10.0, 10.0),
            AdvisedSetting("gate.metrics.wall_seconds.fail_percent", 30.0, None),
            AdvisedSetting("gate.metrics.cpu_seconds.fail_percent", 25.0, 25.0),
        ),
        left_out=(Omission(LeftOut.FEWER_PAIRS, 50.0), Omission(LeftOut.NO_TIME, 0.0)),
        needed_seconds=720.0,
    )
    return replace(trial, **changes)


TEXT = """\
trial of the gate enrichment; engine: '{python}' enrich.py
1.40 s and 180 MiB a run; 1,000 awards; seed 1; 412 s of 600 s

Time: failed runs of the gate: separate ones + 100 drawn from the same pairs
handicap                         estimated  at most 5 pairs  at most 10 pairs  at most 20 pairs
unchanged: false alarms              +0.3%      0/4 + 0/100       0/2 + 0/100       0/1 + 0/100
time +50%                           +50.2%    4/4 + 100/100     2/2 + 100/100                 -
smallest regression found                               50%               50%                 -
unchanged: warned or undecided                  0/4 + 3/100       0/2 + 3/100       0/1 + 3/100
smallest detectable change                               6%                3%              1.5%
pairs until decided, on average                         4.5               9.5              19.5
minutes per pull request                                1.0               2.0               4.0

Memory: failed runs of the gate: separate ones + 100 drawn from the same pairs
handicap                        estimated  at most 5 pairs  at most 10 pairs  at most 20 pairs
unchanged: false alarms             {minus}0.1%      0/4 + 0/100       0/2 + 0/100       0/1 + 0/100
smallest regression found                             none                 -                 -
unchanged: warned or undecided                 0/4 + 3/100       0/2 + 3/100       0/1 + 3/100
smallest detectable change                              6%                3%              1.5%

Links: failed runs of the gate, by the number of planted links
planted          6
lost links     5/5
swapped links  4/5

Unchanged code, all pairs: pass

Left out
- handicap +50%: fewer than 20 pairs within the budget
- unchanged code: not measured within the budget
everything takes about 720 s: --budget 720

Advised settings, to copy into sbir-gate.yaml:

benchmark:
  min_pairs: 5
  max_pairs: 10  # now 40
gate:
  metrics:
    wall_seconds:
      warn_percent: 10
      fail_percent: 30  # now none
    cpu_seconds:
      fail_percent: 25
""".replace("{minus}", MINUS)


def test_the_text_has_all_that_was_found():
    assert render_trial(make_trial()) == TEXT


def test_the_advice_is_yaml():
    text = render_trial(make_trial()).partition("sbir-gate.yaml:\n")[2]
    assert yaml.safe_load(text) == {
        "benchmark": {"min_pairs": 5, "max_pairs": 10},
        "gate": {
            "metrics": {
                "wall_seconds": {"warn_percent": 10, "fail_percent": 30},
                "cpu_seconds": {"fail_percent": 25},
            }
        },
    }


def test_why_unchanged_code_fails_is_said():
    below = Finding(
        Rule.BELOW_MINIMUM,
        Severity.FAIL,
        metric="match_rate",
        unit="ratio",
        measured=0.24,
        limit=0.7,
        limit_kind=LimitKind.MINIMUM,
    )
    text = render_trial(make_trial(unchanged=Outcome.FAIL, findings=(below,)))
    assert "Unchanged code, all pairs: fail\n- Match rate: 0.240, below the minimum of 0.700\n" in text


def test_a_trial_that_came_to_nothing_is_short():
    empty = make_trial(
        cases=(), found=(), links=(), advice=(), unchanged=None, left_out=(Omission(LeftOut.STOPPED),)
    )
    assert render_trial(empty).splitlines()[2:] == [
        "",
        "Left out",
        "- interrupted",
        "everything takes about 720 s: --budget 720",
    ]


def test_a_hostile_name_stays_on_its_line():
    text = render_trial(make_trial(engine="x\n::error::y\x1b[31m"))
    assert text.splitlines()[0] == "trial of the gate enrichment; engine: x ::error::y [31m"


def test_the_json_is_of_the_published_schema():
    document = json.loads(render_trial_json(make_trial()))
    jsonschema.Draft202012Validator(trial_schema()).validate(document)
    assert document["cases"][1]["runs"][0]["time"]["drawn"] == {
        "runs": 100,
        "failed": 100,
        "warned": 2,
        "inconclusive": 1,
    }
