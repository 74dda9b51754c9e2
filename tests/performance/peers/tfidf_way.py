"""The peer by character 3-grams: TF-IDF and the cosine, top n by string_grouper's sparse product.

Variants: `plain` takes the most similar name of all; `geography` adds to the cosine of the 20 most similar
names what the engine's own pre-ranking adds for the same state, city and zip, halved, since that ranks a
similarity of 0 to 2 and this one goes to 1. Each distinct name is compared once; recipients of one name tell
apart by geography alone, and without it the first is taken.
"""

import os

import numpy as np
import pandas as pd
from string_grouper import match_strings

from tests.performance.peers.sides import open_sides, read_task

# as in sbir_gate.engine.matching.candidates, halved
SAME_STATE, SAME_CITY, SAME_ZIP5 = 0.075, 0.075, 0.15
LEAST_COSINE = 0.4
NAMES_PER_QUERY = {"plain": 1, "geography": 20}


def similar_names(recipient_names, query_names, most):
    """Return the columns query_normal, normal and cosine of the most similar names."""
    found = match_strings(
        pd.Series(recipient_names, name="normal"),
        pd.Series(query_names, name="query"),
        max_n_matches=most,
        min_similarity=LEAST_COSINE,
        tfidf_matrix_dtype=np.float32,
        number_of_processes=len(os.sched_getaffinity(0)),
        ignore_index=True,
    )
    return pd.DataFrame(
        {
            "query_normal": found["right_query"].astype(str),
            "normal": found["left_normal"].astype(str),
            "cosine": found["similarity"].astype(float),
        }
    )


def main():
    task = read_task()
    connection = open_sides(task)
    names = {
        side: [
            row[0]
            for row in connection.execute(f"SELECT DISTINCT normal FROM {side} ORDER BY normal").fetchall()
        ]
        for side in ("recipients", "queries")
    }
    with task.stage("match"):
        similar = similar_names(names["recipients"], names["queries"], NAMES_PER_QUERY[task.variant])
    connection.register("similar_names", similar)
    bonus = "0"
    if task.variant == "geography":
        bonus = f"""
            CASE WHEN q.state = r.state THEN {SAME_STATE} ELSE 0 END
            + CASE WHEN q.city = r.city THEN {SAME_CITY} ELSE 0 END
            + CASE WHEN q.zip5 = r.zip5 THEN {SAME_ZIP5} ELSE 0 END
        """
    with task.stage("rank"):
        connection.execute(f"""
            CREATE TABLE answers AS
            SELECT query_id, recipient_id, cosine + {bonus} AS score
            FROM similar_names s JOIN queries q ON q.normal = s.query_normal
            JOIN recipients r ON r.normal = s.normal
        """)
    task.finish(connection, "answers", asked=len(names["queries"]))


if __name__ == "__main__":
    main()
