"""Print a saved Run with its links changed, and the figures that follow from them.

    python alter_run.py RUN CHANGE [ARGUMENT ...] > CHANGED

The changes:

add-wrong            33 awards that have no recipient are linked, by a method `guess`
drop METHOD          the links of a method are gone
move FROM TO         another method makes the same links
misdirect FROM TO    the same, each to the recipient of the next
demote               20 right links are only candidates
promote              every candidate is a link
cost FACTOR          time and work are so many times as much
"""

import csv
import json
import sys
from collections import Counter
from pathlib import Path

from sbir_gate.documents import load_run
from sbir_gate.model.document import RUN, encode

WRONG_LINKS = 33
DEMOTED = 20
TRUTH = Path(__file__).parents[2] / "fixtures" / "truth.csv"


def add_wrong(run, truth):
    unlinked = [each for each in run["decisions"] if each["kind"] == "none" and not truth[each["award_id"]]]
    somebody = next(each["recipient_id"] for each in run["decisions"] if each["recipient_id"])
    for decision in unlinked[:WRONG_LINKS]:
        decision |= {"kind": "link", "method": "guess", "recipient_id": somebody, "score": 60.0}


def drop(run, _truth, method):
    for decision in links_of(run, method):
        decision |= {"kind": "none", "method": "none", "recipient_id": "", "score": 0.0}


def move(run, _truth, old, new):
    for decision in links_of(run, old):
        decision["method"] = new


def misdirect(run, truth, old, new):
    links = links_of(run, old)
    recipients = [decision["recipient_id"] for decision in links]
    for decision, recipient in zip(links, recipients[1:] + recipients[:1], strict=True):
        decision["recipient_id"] = recipient
    move(run, truth, old, new)


def demote(run, _truth):
    links = [each for each in run["decisions"] if (each["kind"], each["label"]) == ("link", "correct")]
    for decision in links[:DEMOTED]:
        decision["kind"] = "candidate"


def promote(run, _truth):
    for decision in run["decisions"]:
        if decision["kind"] == "candidate":
            decision["kind"] = "link"


def cost(run, _truth, factor):
    for metric in run["metrics"]:
        if metric["name"].endswith("_seconds") or metric["name"] in {
            "work/pairs_scored",
            "work/candidates_generated",
        }:
            metric["values"] = [value * float(factor) for value in metric["values"]]


def links_of(run, method):
    return [each for each in run["decisions"] if each["kind"] == "link" and each["method"] == method]


def measure_again(run, truth):
    """Work out again what depends on the links."""
    links = {each["award_id"]: each for each in run["decisions"] if each["kind"] == "link"}
    right = [award for award, each in links.items() if each["recipient_id"] in truth[award]]
    none = [award for award, recipients in truth.items() if not recipients and award not in links]
    for each in run["decisions"]:
        each["label"] = "correct" if each["award_id"] in {*right, *none} else "incorrect"
    methods = Counter(each["method"] for each in links.values())
    run["quality"]["links_by_method"] = methods
    figures = {
        "match_rate": len(links) / len(run["decisions"]),
        "precision": len(right) / len(links),
        "recall": len(right) / sum(map(bool, truth.values())),
    }
    run["quality"] |= figures
    kept = [each for each in run["metrics"] if not each["name"].startswith("links/")]
    for metric in kept:
        if metric["name"] in figures:
            metric["values"] = [figures[metric["name"]]]
    for method, count in methods.items():
        kept.append({"name": f"links/{method}", "unit": "count", "kind": "exact", "values": [float(count)]})
    run["metrics"] = kept


CHANGES = {change.__name__.replace("_", "-"): change for change in (add_wrong, drop, move, misdirect)}
CHANGES |= {change.__name__: change for change in (demote, promote, cost)}


def main(path, change, *arguments):
    document = json.loads(encode(RUN, load_run(Path(path))))  # of any format
    with TRUTH.open(encoding="utf-8", newline="") as file:
        truth = {
            row["award_id"]: row["recipient_ids"].replace(";", " ").split() for row in csv.DictReader(file)
        }
    run = document["run"]
    run["decisions"] = rows_of(run["awards"])
    CHANGES[change](run, truth, *arguments)
    measure_again(run, truth)
    run["awards"] = columns_of(run["awards"], run.pop("decisions"))
    sys.stdout.write(json.dumps(document))


def rows_of(awards):
    """Return the decision and the label of each award, which a saved Run has in columns."""
    rows = []
    for place, award_id in enumerate(awards["award_id"]):
        kind, method, label, *_ = awards["kinds"][awards["kind"][place]]
        recipient_id, *_ = awards["recipients"][awards["recipient"][place]]
        score = awards["score"][place]
        rows.append({"award_id": award_id, "kind": kind, "method": method, "label": label, "score": score})
        rows[-1]["recipient_id"] = recipient_id
    return rows


def columns_of(awards, rows):
    """Return the columns with the rows as they are now."""
    kinds = [awards["kinds"][kind][3:] for kind in awards["kind"]]
    names = {id_: names for id_, *names in awards["recipients"]}
    return {
        **awards,
        "kinds": [
            [row["kind"], row["method"], row["label"], *rest] for row, rest in zip(rows, kinds, strict=True)
        ],
        "places": [],
        "kind": list(range(len(rows))),
        "recipients": [[row["recipient_id"], *names[row["recipient_id"]]] for row in rows],
        "recipient": list(range(len(rows))),
        "score": [row["score"] for row in rows],
    }


main(*sys.argv[1:])
