"""The data of the comparison, made once: files from a seed, the questions, and their truth.

The questions are set before any way runs and are the same for all. A firm (sbir_gate.engine.matching.firms)
is asked about unless the rules for identifiers and exact names link it; its query is its distinct set of
normalised names with city, state and zip. A query belongs to the **fuzzy stage**, on which the ways are
judged, if none of its UEIs and DUNS numbers and none of its names (without blanks, as the engine compares
exact names) stands on any recipient. The few others, whose identifier or exact name is there but is not
borne out by name or place, are asked too and count in the award-level figures alone.

Of given files (`--files`) nothing but an identifier links by rule: every other firm is asked about, and its
query counts.
"""

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from sbir_gate.engine.matching.firms import create_firms
from sbir_gate.engine.matching.parts import open_parts, register_functions, write_part
from sbir_gate.reading.awards import read_awards
from sbir_gate.reading.recipients import iterate_recipients
from sbir_gate.reading.truth import read_truth
from tests.performance.peers.evaluation import Query, Questions
from tests.step_options import reading_options

# raised when the questions change: a folder made before is then refused
QUESTIONS_VERSION = 2
RULES_ONLY = (
    # no model accepts anything at a limit of 1
    "--set",
    "matching.acceptance_limit=1.0",
)
NO_TIMEOUT = ("--set", "enrichment.performance.timeout_seconds=86400")


@dataclass(frozen=True)
class Size:
    """How much data, from which seed."""

    awards: int
    recipients: int
    seed: int

    rules = "uei-exact,duns-exact,name-exact"
    is_given = False

    def write(self, folder, say):
        """Make the files from the seed."""
        for kind in ("parquet", "csv"):
            say(f"making the {kind} files")
            numbers = [f"--{name}={value}" for name, value in asdict(self).items()]
            output = str(folder.path / kind)
            run("data", "synthesise", "--quiet", *numbers, "--format", kind, "--output", output)


@dataclass(frozen=True)
class Given:
    """Files that are there: awards.csv, recipients.csv (or .csv.gz) and truth.csv in the folder `source`.

    If `is_hidden`, the recipients that the truth names are taken out: then no link is right.
    """

    source: str
    is_hidden: bool = False

    rules = "uei-exact,duns-exact"
    is_given = True

    def write(self, folder, say):
        """Copy the files, the recipients as the engine reads them."""
        say(f"reading {self.source}" + (", without the right recipients" if self.is_hidden else ""))
        source, target = Path(self.source), folder.path / "parquet"
        target.mkdir(exist_ok=True)
        truth = read_truth(source / "truth.csv")
        right = sorted(frozenset().union(*truth.values())) if self.is_hidden else []
        recipients = next(path for path in sorted(source.glob("recipients.csv*")))
        with duckdb.connect() as connection:
            read_recipients(connection, recipients, folder)
            connection.execute(
                "COPY (SELECT recipient_id, name AS legal_business_name, uei, duns, city, state, zip5 AS zip"
                f" FROM read_rows WHERE recipient_id NOT IN (SELECT unnest({right!r}::VARCHAR[]))"
                f" ORDER BY place) TO '{folder.recipients('parquet')}' (FORMAT parquet)"
            )
            connection.execute(
                f"COPY (FROM read_csv('{source / 'awards.csv'}', all_varchar = true))"
                f" TO '{folder.awards('parquet')}' (FORMAT parquet)"
            )
        ids = {award: "" if self.is_hidden else " ".join(sorted(ones)) for award, ones in truth.items()}
        with folder.truth.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("award_id", "recipient_ids"), *ids.items()])


def read_recipients(connection, source, folder):
    """Create the table `read_rows` of all recipients as the engine reads them, in their order."""
    connection.execute(
        "CREATE TABLE read_rows (place BIGINT, recipient_id VARCHAR, name VARCHAR, uei VARCHAR, duns VARCHAR,"
        " city VARCHAR, state VARCHAR, zip5 VARCHAR)"
    )
    with work_folder(folder) as work:
        for batch in iterate_recipients(connection, str(source), work, reading_options(chunk_size=100_000)):
            place = f"{batch.first_line} + row_number() OVER ()"
            connection.execute(f"INSERT INTO read_rows SELECT {place}, * FROM {batch.table}")


@dataclass(frozen=True)
class Folder:
    """Where the files of one comparison are."""

    path: Path

    def awards(self, kind):
        return self.path / kind / f"awards.{kind}"

    def recipients(self, kind):
        return self.path / kind / f"recipients.{kind}"

    @property
    def truth(self):
        return self.path / "parquet" / "truth.csv"

    @property
    def rules(self):
        return self.path / "rules.parquet"

    @property
    def query_names(self):
        return self.path / "query_names.parquet"

    @property
    def questions(self):
        return self.path / "questions.json"


def prepare(folder, work, say):
    """Make what is not there yet of a Size or Given files. Raises ValueError for a folder of other data."""
    mark = folder.path / "made.json"
    wanted = {"questions_version": QUESTIONS_VERSION, **asdict(work)}
    if mark.is_file():
        made = json.loads(mark.read_text())
        if made != wanted:
            raise ValueError(f"{folder.path} holds {made}, not {wanted}: name another --data, or empty it")
        return
    work.write(folder, say)
    say(f"linking by {work.rules}")
    files = ("--awards", folder.awards("parquet"), "--recipients", folder.recipients("parquet"))
    rules = ("--set", f"matching.methods=[{work.rules}]", *RULES_ONLY, *NO_TIMEOUT)
    run("enrich", "--quiet", *map(str, files), "--output", str(folder.rules), *rules)
    say("writing the questions")
    write_questions(folder, is_all_asked=work.is_given)
    mark.write_text(json.dumps(wanted))


def run(*arguments):
    command = [sys.executable, "-m", "sbir_gate", *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise RuntimeError(f"{' '.join(command)}: {finished.stderr.strip()[-2000:]}")


def write_questions(folder, *, is_all_asked):
    """Write query_names.parquet, which the peers read, and questions.json, which judges them."""
    with duckdb.connect() as connection:
        register_functions(connection)
        read_both(connection, folder)
        create_firms(connection)
        create_query_tables(connection, folder.rules, is_all_asked=is_all_asked)
        connection.execute(f"""
            COPY (SELECT query_id, normal, compact, city, state, zip5, name FROM query_names ORDER BY ALL)
            TO '{folder.query_names}' (FORMAT parquet)
        """)
        fuzzy = dict(connection.execute("SELECT query_id, is_fuzzy FROM queries ORDER BY 1").fetchall())
        texts = dict(connection.execute("SELECT query_id, text FROM queries").fetchall())
        pairs = connection.execute("""
            SELECT award_id, query_id FROM award_firms JOIN firm_query USING (firm_id) ORDER BY ALL
        """).fetchall()
    document = {
        "fuzzy": [query for query, is_fuzzy in fuzzy.items() if is_fuzzy],
        "halves": [half_of(texts[query]) for query in fuzzy],
        "award_queries": dict(pairs),
    }
    folder.questions.write_text(json.dumps(document))


def read_both(connection, folder):
    """Create the tables `awards` and `recipients` by the engine's own reader."""
    options = reading_options(chunk_size=100_000)
    with work_folder(folder) as work:
        read_awards(connection, str(folder.awards("parquet")), work, options)
        parts = [
            write_part(connection, batch.table, work / f"part-{batch.index:06d}.parquet")
            for batch in iterate_recipients(connection, str(folder.recipients("parquet")), work, options)
        ]
        open_parts(connection, parts)
        connection.execute("CREATE TABLE rows_of_parts AS SELECT DISTINCT * FROM recipients")
        connection.execute("CREATE OR REPLACE VIEW recipients AS FROM rows_of_parts")


@contextmanager
def work_folder(folder):
    """Yield a folder that is there for a while."""
    work = folder.path / "work"
    work.mkdir(exist_ok=True)
    yield work
    shutil.rmtree(work)


def create_query_tables(connection, rules, *, is_all_asked):
    """Create `queries`, `query_names` and `firm_query` of the firms that the rules do not link."""
    connection.execute(f"""
        CREATE TABLE asked AS
        SELECT DISTINCT firm_id FROM award_firms JOIN read_parquet('{rules}') USING (award_id)
        WHERE match_decision <> 'link'
    """)
    connection.execute("""
        CREATE TABLE known_firms AS
        SELECT firm_id FROM (
            SELECT firm_id, unnest(string_split(concat_ws(' ', uei, duns), ' ')) AS value FROM firms
        ) SEMI JOIN (
            SELECT DISTINCT unnest(string_split(concat_ws(' ', uei, duns), ' ')) AS value FROM recipients
        ) USING (value) WHERE value <> ''
        UNION
        SELECT firm_id FROM firm_names SEMI JOIN recipients USING (compact) WHERE compact <> ''
    """)
    connection.execute(f"""
        CREATE TABLE asked_firms AS
        SELECT firm_id, any_value(city) AS city, any_value(state) AS state, any_value(zip5) AS zip5,
               list_sort(list(DISTINCT normal)) AS normals,
               {is_all_asked} OR firm_id NOT IN (SELECT firm_id FROM known_firms) AS is_fuzzy
        FROM firm_names SEMI JOIN asked USING (firm_id) WHERE compact <> '' GROUP BY firm_id
    """)
    connection.execute("""
        CREATE TABLE queries AS
        SELECT row_number() OVER (ORDER BY normals, city, state, zip5, is_fuzzy) - 1 AS query_id, *,
               concat_ws('|', array_to_string(normals, '/'), city, state, zip5) AS text
        FROM (SELECT DISTINCT normals, city, state, zip5, is_fuzzy FROM asked_firms)
    """)
    connection.execute("""
        CREATE TABLE firm_query AS
        SELECT firm_id, query_id FROM asked_firms f JOIN queries q
          ON f.normals = q.normals AND f.is_fuzzy = q.is_fuzzy AND f.city IS NOT DISTINCT FROM q.city
         AND f.state IS NOT DISTINCT FROM q.state AND f.zip5 IS NOT DISTINCT FROM q.zip5
    """)
    connection.execute("""
        CREATE TABLE query_names AS
        SELECT query_id, normal, replace(normal, ' ', '') AS compact, city, state, zip5, name
        FROM (SELECT *, unnest(normals) AS normal FROM queries) JOIN (
            SELECT query_id, min(name) AS name FROM firm_query JOIN firms USING (firm_id) GROUP BY query_id
        ) USING (query_id)
    """)


def half_of(text):
    """Return 0 or 1: the half a query falls in, by the hash of what is asked."""
    return hashlib.sha256(text.encode()).digest()[0] % 2


def load_questions(folder):
    """Return the questions of a prepared folder."""
    document = json.loads(folder.questions.read_text())
    truth = read_truth(folder.truth)
    award_queries = document["award_queries"]
    right = {query: frozenset() for query in range(len(document["halves"]))}
    for award, query in award_queries.items():
        right[query] |= truth[award]
    fuzzy = set(document["fuzzy"])
    with duckdb.connect() as connection:
        links = connection.execute(
            f"SELECT award_id, recipient_id FROM read_parquet('{folder.rules}') WHERE match_decision = 'link'"
        ).fetchall()
    queries = {
        query: Query(query in fuzzy, half, right[query]) for query, half in enumerate(document["halves"])
    }
    return Questions(queries, award_queries, dict(links), truth)
