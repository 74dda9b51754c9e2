"""The peer for records of any kind: goldenmatch, with the set-up that did best of those tried.

Blocking by the tokens of the name, and its Fellegi-Sunter model (trained by expectation maximisation, without
labels) over name, city and state. On published records: F1 0.990, with tokens of at most 100 records 0.969; a
weighted mean in place of the model, with the same 100, 0.968; without any configuration it did not end in
400 s. It gives back what is above its own limit.
"""

import os

import pandas as pd
from goldenmatch import match_df
from goldenmatch.config.schemas import (
    BlockingConfig,
    GoldenMatchConfig,
    MatchkeyConfig,
    MatchkeyField,
    TokenBlockingConfig,
)

from tests.performance.peers.sides import open_sides, read_task

COLUMNS = "normal, city, state, zip5"
OWNERS = {"queries": "query_id", "recipients": "recipient_id"}


def config():
    fields = [
        MatchkeyField(field="normal", scorer="ensemble", levels=3),
        MatchkeyField(field="city", scorer="jaro_winkler"),
        MatchkeyField(field="state", scorer="exact"),
        MatchkeyField(field="zip5", scorer="exact"),
    ]
    return GoldenMatchConfig(
        matchkeys=[MatchkeyConfig(name="firm", type="probabilistic", fields=fields)],
        blocking=BlockingConfig(strategy="token", token=TokenBlockingConfig(column="normal")),
    )


def main():
    # what one run learns is not kept for the next
    os.environ["GOLDENMATCH_AUTOCONFIG_MEMORY"] = "0"
    task = read_task()
    connection = open_sides(task)
    with task.stage("read-into-arrow"):
        sides = [
            connection.execute(
                f"SELECT {owner}::VARCHAR AS owner, {COLUMNS} FROM {side} ORDER BY row_id"
            ).to_arrow_table()
            for side, owner in OWNERS.items()
        ]
    with task.stage("match"):
        matched = match_df(*sides, config=config()).matched
    rows = matched.to_pylist() if matched is not None else []
    answers = pd.DataFrame(
        {
            "query_id": [int(row["target_owner"]) for row in rows],
            "recipient_id": [row["ref_owner"] for row in rows],
            "score": [float(row["__match_score__"]) for row in rows],
        }
    )
    connection.register("answers", answers)
    task.finish(connection, "answers", pairs=len(rows))


if __name__ == "__main__":
    main()
