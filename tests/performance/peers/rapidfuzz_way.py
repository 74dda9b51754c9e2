"""The peer that most people write: the most similar name by rapidfuzz, of all names or of one state's.

Variants: `brute:<scorer>` compares a sample of the queries with every recipient, to know what all would
take; `state:<scorer>` compares each query with the recipients of its state (a query without a state is not
answered, as a merge on the state would not), grouped in pandas and scored by `process.cdist` on all cores.
"""

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from tests.performance.peers.sides import open_sides, read_task

SCORERS = {
    "token_sort_ratio": fuzz.token_sort_ratio,
    "token_set_ratio": fuzz.token_set_ratio,
    "WRatio": fuzz.WRatio,
}
SAMPLED_FIRMS = 20
# below any threshold that was best for a scorer; lets rapidfuzz stop early
CUTOFF = 70
# scores held at a time: 64 MiB of float32
BLOCK_SCORES = 1 << 24


def best_of_all(names, choices, scorer, block_scores=BLOCK_SCORES):
    """Return for each name the place of its most similar choice, and the score (0 below the cutoff)."""
    places, scores = [], []
    block = max(1, block_scores // max(len(choices), 1))
    for start in range(0, len(names), block):
        found = process.cdist(
            names[start : start + block],
            choices,
            scorer=scorer,
            score_cutoff=CUTOFF,
            workers=-1,
            dtype=np.float32,
        )
        places.append(found.argmax(axis=1))
        scores.append(found.max(axis=1))
    return np.concatenate(places), np.concatenate(scores)


def blocked_by_state(queries, recipients, scorer):
    """Return query_id, recipient_id and score of the best in the same state."""
    by_state = dict(list(recipients.groupby("state", sort=True)))
    found = []
    for state, asked in queries.groupby("state", sort=True):
        if state not in by_state:
            continue
        choices = by_state[state]
        places, scores = best_of_all(asked["normal"].tolist(), choices["normal"].tolist(), scorer)
        ids = choices["recipient_id"].to_numpy()[places]
        found.append(pd.DataFrame({"query_id": asked["query_id"], "recipient_id": ids, "score": scores}))
    answers = pd.concat(found)
    return answers[answers["score"] > 0]


def brute_force(queries, recipients, scorer):
    """Return query_id, recipient_id and score of the best of all, for an even sample of the queries."""
    step = max(len(queries) // SAMPLED_FIRMS, 1)
    asked = queries.iloc[::step].head(SAMPLED_FIRMS)
    names = recipients["normal"].tolist()
    # all at once: every block would read the whole table of names again
    places, scores = best_of_all(asked["normal"].tolist(), names, scorer, len(asked) * len(names))
    ids = recipients["recipient_id"].to_numpy()[places]
    return pd.DataFrame({"query_id": asked["query_id"], "recipient_id": ids, "score": scores})


def main():
    task = read_task()
    kind, _, scorer = task.variant.partition(":")
    connection = open_sides(task)
    with task.stage("read-into-pandas"):
        queries = connection.execute("SELECT query_id, normal, state FROM queries ORDER BY row_id").df()
        recipients = connection.execute(
            "SELECT recipient_id, normal, state FROM recipients ORDER BY row_id"
        ).df()
        connection.execute("DROP TABLE recipients")
    way = {"brute": brute_force, "state": blocked_by_state}[kind]
    with task.stage("match"):
        answers = way(queries, recipients, SCORERS[scorer])
    connection.register("answers", answers)
    task.finish(connection, "answers", answered=len(answers), asked=len(queries))


if __name__ == "__main__":
    main()
