"""The probabilistic peer: Splink on DuckDB, a Fellegi-Sunter model tuned for this data as its pages advise.

- Several blocking rules, each narrow: starts and ends of the name with the state or zip, a long start
  nationwide, the rarest word of the name with the state, the words in any order.
- One comparison of the whole name, in levels of Jaro-Winkler, and one of the place; term frequency
  adjustments where names, zips, cities and states repeat. A third, of the rarest word, made it worse, for
  what it says is in the name already.
- u by random sampling, m by expectation maximisation under two blocking rules that leave each comparison
  out once, the prior from deterministic rules.

Variants: `jaro-winkler`, and `words`, whose levels of the name look at shared words too.
"""

import logging
import tempfile

import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from tests.performance.peers.sides import open_sides, read_task

MEMORY_LIMIT = "8GiB"
SAMPLED_PAIRS = 1e7
LEAST_PROBABILITY = 0.001
# the matches that the rules for the prior find; it moves all scores alike, so it hardly matters here
DETERMINISTIC_RECALL = 0.5
SIDE_COLUMNS = """
    row_id AS unique_id, {identity} AS owner, normal, compact, city, state, zip5, left(zip5, 3) AS zip3,
    left(compact, 1) AS initial, left(compact, 5) AS head5,
    CASE WHEN len(compact) >= 9 THEN left(compact, 9) END AS head9,
    CASE WHEN len(compact) >= 5 THEN right(compact, 5) END AS tail5,
    CASE WHEN len(compact) >= 9 THEN right(compact, 9) END AS tail9,
    array_to_string(list_sort(list_distinct(string_split(normal, ' '))), ' ') AS sorted_words,
    rare_word
"""
WORDS_COLUMN = ", list_distinct(string_split(normal, ' ')) AS words"


def create_sides(connection, variant):
    """Create `left_side` and `right_side`: the queries and the recipients with the columns to compare.

    The rarest word is that of at least three letters that the fewest recipient names hold.
    """
    connection.execute("""
        CREATE TABLE word_counts AS
        SELECT word, count(*) AS holders
        FROM (SELECT unnest(list_distinct(string_split(normal, ' '))) AS word FROM recipients)
        WHERE len(word) >= 3 GROUP BY word
    """)
    columns = SIDE_COLUMNS + (WORDS_COLUMN if variant == "words" else "")
    for side, table, identity in (
        ("left_side", "queries", "query_id::VARCHAR"),
        ("right_side", "recipients", "recipient_id"),
    ):
        connection.execute(f"""
            CREATE TABLE {side} AS
            WITH rarest AS (
                SELECT row_id, arg_min(word, (coalesce(holders, 0), word)) AS rare_word
                FROM (SELECT row_id, unnest(string_split(normal, ' ')) AS word FROM {table})
                LEFT JOIN word_counts USING (word)
                WHERE len(word) >= 3 GROUP BY row_id
            )
            SELECT {columns.format(identity=identity)} FROM {table} LEFT JOIN rarest USING (row_id)
        """)
        connection.execute(f"DROP TABLE {table}")


def near(similarity, share):
    """Return a level: names as similar by Jaro-Winkler, or that share that part of their words (Jaccard)."""
    common = "len(list_intersect(words_l, words_r))"
    overlap = f"{common} >= {share} * (len(words_l) + len(words_r) - {common})"
    return cll.CustomLevel(
        f"jaro_winkler_similarity(compact_l, compact_r) >= {similarity} OR {overlap}", f"near {similarity}"
    )


def name_levels(variant):
    if variant == "words":
        return [
            cll.JaroWinklerLevel("compact", 0.96),
            near(0.92, 0.75),
            near(0.88, 0.6),
            near(0.80, 0.4),
        ]
    limits = (0.98, 0.96, 0.94, 0.92, 0.90, 0.87, 0.84, 0.80)
    return [cll.JaroWinklerLevel("compact", limit) for limit in limits]


def comparisons(variant):
    same_letters = cll.ExactMatchLevel("compact").configure(
        tf_adjustment_column="compact", tf_minimum_u_value=1e-7
    )
    place_levels = [
        cll.CustomLevel("state_l IS NULL OR state_r IS NULL", "unknown").configure(is_null_level=True),
        cll.ExactMatchLevel("zip5").configure(tf_adjustment_column="zip5"),
        cll.CustomLevel("city_l = city_r AND state_l = state_r", "same city").configure(
            tf_adjustment_column="city", disable_tf_exact_match_detection=True
        ),
        cll.ExactMatchLevel("zip3"),
        cll.ExactMatchLevel("state").configure(tf_adjustment_column="state"),
        cll.ElseLevel(),
    ]
    names = [cll.NullLevel("normal"), same_letters, *name_levels(variant), cll.ElseLevel()]
    return [
        cl.CustomComparison(names, output_column_name="name"),
        cl.CustomComparison(place_levels, output_column_name="place"),
    ]


def settings(variant):
    rules = [
        block_on("head5", "state"),
        block_on("head5", "zip3"),
        block_on("tail5", "zip3"),
        block_on("initial", "zip5"),
        block_on("head9"),
        block_on("tail9", "state"),
        block_on("sorted_words"),
        block_on("rare_word", "state"),
    ]
    return SettingsCreator(
        link_type="link_only",
        comparisons=comparisons(variant),
        blocking_rules_to_generate_predictions=rules,
        additional_columns_to_retain=["owner"],
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=False,
    )


def train(linker):
    """Estimate the prior, u, and m: the name where the place agrees, the place where the name does."""
    training = linker.training
    training.estimate_probability_two_random_records_match(
        ["l.sorted_words = r.sorted_words AND l.state = r.state", "l.head9 = r.head9 AND l.zip5 = r.zip5"],
        recall=DETERMINISTIC_RECALL,
    )
    training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=1)
    for rule in (block_on("zip5", "initial"), block_on("substr(compact, 1, 9)")):
        training.estimate_parameters_using_expectation_maximisation(rule)


def main():
    logging.getLogger("splink").setLevel(logging.WARNING)
    task = read_task()
    connection = open_sides(task)
    with tempfile.TemporaryDirectory(prefix="peers-splink-") as folder:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute(f"SET temp_directory = '{folder}'")
        with task.stage("columns"):
            create_sides(connection, task.variant)
        interface = DuckDBAPI(connection)
        sides = [
            interface.register(name, dataset_display_name=f"{name}_of_link")
            for name in ("left_side", "right_side")
        ]
        linker = Linker(sides, settings(task.variant), log_level=logging.WARNING)
        with task.stage("train"):
            train(linker)
        with task.stage("predict"):
            found = linker.inference.predict(threshold_match_probability=LEAST_PROBABILITY)
        connection.execute(f"""
            CREATE TABLE answers AS
            SELECT owner_l::BIGINT AS query_id, owner_r AS recipient_id, match_weight AS score
            FROM {found.physical_name}
        """)
        pairs = connection.execute(f"SELECT count(*) FROM {found.physical_name}").fetchone()[0]
        task.finish(connection, "answers", pairs=pairs)
        connection.close()


if __name__ == "__main__":
    main()
