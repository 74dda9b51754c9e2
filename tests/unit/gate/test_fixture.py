import csv
import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from sbir_gate.documents import load_run
from sbir_gate.errors import ConfigurationError, InputError
from sbir_gate.gate.fixture import describe_fixture, read_profiles
from sbir_gate.gate.run import run_gate
from sbir_gate.model.document import FIXTURE_DRAW, encode
from sbir_gate.model.fixture_draw import DrawnFrom, DrawnStratum, FixtureDraw, ids_digest, stratum_key
from sbir_gate.model.verdict import Outcome, Policy
from sbir_gate.settings import load_settings
from tests.factories_dumps import Table, member_of, write_dump, zipped
from tests.fakes import AWARDS, FakeEngine, fake_edges, write_fixture
from tests.findings import reasons, records_of
from tests.tiers import first_fast


@pytest.fixture
def fingerprint(tmp_path):
    """Return the fingerprint of a fixture with these recipients."""
    (tmp_path / "awards.csv").write_text("Company\nACME\n")

    def of(recipients):
        options = {
            "fixtures.awards": str(tmp_path / "awards.csv"),
            "fixtures.recipients": str(recipients),
            "fixtures.truth": None,
        }
        return describe_fixture(load_settings(None, {}, options), 1).fingerprint

    return of


@pytest.fixture
def dump(tmp_path):
    tables = [Table("duns", ["name"], [("ACME",)]), Table("recipient_lookup", ["name"], [("FOO",)])]
    return write_dump(tmp_path / "dump", *tables)


def test_a_dump_is_its_contents_and_the_member_that_is_read(fingerprint, dump, tmp_path):
    first = fingerprint(dump)
    (dump / "unrelated.txt").write_text("x")
    (dump / "3.dat.gz").write_bytes(b"of the other table")
    assert fingerprint(dump) == first
    assert fingerprint(shutil.copytree(dump, tmp_path / "copy")) == first
    assert fingerprint(f"{dump}#duns") != first
    (dump / "5.dat.gz").write_bytes(b"changed")
    assert fingerprint(dump) != first


def test_a_zip_is_all_of_its_bytes_and_the_table_that_is_named(fingerprint, dump):
    path = zipped(dump)
    assert len({fingerprint(path), fingerprint(f"{path}#duns"), fingerprint(f"{path}#recipient_lookup")}) == 3


def test_a_dump_without_the_table_has_no_fingerprint(fingerprint, tmp_path):
    dump = write_dump(tmp_path / "dump", Table("states", ["name"]))
    with pytest.raises(InputError, match="no data of a known table"):
        fingerprint(dump)
    assert member_of(dump).exists()


class ReadingEngine(FakeEngine):
    """Reads what it is handed, and links each award to the recipient that `choose` picks of its row."""

    def __init__(self, choose, award_end=""):
        super().__init__()
        self.choose = choose
        self.award_end = award_end
        self.handed = []

    def __call__(self, request):
        awards, recipients = (
            Path(request.arguments[request.arguments.index(option) + 1])
            for option in ("--awards", "--recipients")
        )
        self.handed.append((awards.read_text(), recipients.read_text()))
        output = next(Path(text) for text in request.arguments if text.endswith("enriched.parquet"))
        with (
            awards.open(newline="") as awards_file,
            recipients.open(newline="") as recipients_file,
            output.open("w", newline="") as file,
        ):
            rows = list(csv.DictReader(recipients_file))
            writer = csv.writer(file)
            writer.writerow(["award_id", "match_method", "match_score", "recipient_id", "match_candidates"])
            for number, award in enumerate(csv.DictReader(awards_file)):
                chosen = self.choose(number, rows)
                recipient_id, candidates = (chosen, "") if isinstance(chosen, str) else chosen
                writer.writerow([award["award_id"] + self.award_end, "own", 100, recipient_id, candidates])
        return self.ends


def own_row(number, rows):
    return rows[number]["recipient_id"]


@pytest.fixture
def gate(tmp_path):
    """Run the gate on the fixture of the folder; a truth only if it is asked for."""
    write_fixture(tmp_path)

    def run(engine, has_truth=True, more=()):
        options = {
            "fixtures.awards": str(tmp_path / "awards.csv"),
            "fixtures.recipients": str(tmp_path / "recipients.csv"),
            "gate.baselines_folder": str(tmp_path / "baselines"),
            "reports.folder": str(tmp_path / "reports"),
            "benchmark.repeats": 1,
        }
        truth = tmp_path / "truth.csv" if has_truth else "null"
        effective = load_settings(None, {}, options, [f"fixtures.truth={truth}", *more])
        return run_gate(effective, fake_edges(engine), lambda _words: None)

    return run


class TestRecipientsOfTheOutput:
    def test_links_to_recipients_that_do_not_exist_fail_without_any_truth(self, gate):
        verdict = gate(ReadingEngine(lambda _number, _rows: "R-NOWHERE"), has_truth=False).verdict
        assert verdict.outcome is Outcome.FAIL
        assert (
            "Unknown recipient ids: 1, above the maximum of 0: recipient_id 'R-NOWHERE' is in no recipient"
            in reasons(verdict)
        )

    def test_ids_that_were_written_as_floats_are_told_as_such(self, gate, tmp_path):
        recipients = tmp_path / "recipients.csv"
        recipients.write_text(recipients.read_text().replace("R", "10", AWARDS))
        verdict = gate(ReadingEngine(lambda number, _rows: f"10{number}.0"), has_truth=False).verdict
        assert "'100.0'" in "\n".join(reasons(verdict))
        assert "ids were written as floats" in "\n".join(reasons(verdict))

    @pytest.mark.parametrize("blank", first_fast([" ", "\t", "\xa0", "\u200b"]))
    def test_ids_in_blanks_are_in_no_recipient(self, gate, blank):
        engine = ReadingEngine(lambda number, rows: blank + own_row(number, rows) + blank)
        verdict = gate(engine, has_truth=False).verdict
        assert verdict.outcome is Outcome.FAIL
        (reason,) = (
            reason for reason in reasons(verdict) if reason.startswith("Unknown recipient ids: 12, ")
        )
        assert f"recipient_id {blank + 'R0' + blank!r}, " in reason
        assert reason.endswith("are in no recipient; blanks or invisible characters were added around ids")

    def test_candidates_in_blanks_are_in_no_recipient(self, gate):
        def padded(number, rows):
            return [own_row(number, rows), json.dumps([own_row(number, rows) + " "])]

        verdict = gate(ReadingEngine(padded), has_truth=False).verdict
        assert verdict.outcome is Outcome.FAIL
        assert "recipient_id 'R0 ', " in "\n".join(reasons(verdict))

    @pytest.mark.parametrize("blank", first_fast([" ", "\t", "\xa0"]))
    def test_award_ids_in_blanks_are_no_awards(self, gate, blank):
        verdict = gate(ReadingEngine(own_row, award_end=blank), has_truth=False).verdict
        assert verdict.outcome is Outcome.FAIL
        (reason,) = (
            reason for reason in reasons(verdict) if reason.startswith("Rows of unknown awards: 12, ")
        )
        assert f"award_id {'A0' + blank!r}, " in reason
        assert reason.endswith("are in no award; blanks or invisible characters were added around ids")

    def test_linked_recipients_are_in_the_run_with_name_and_uei(self, gate):
        award = gate(ReadingEngine(own_row)).run.awards[0]
        assert (award.link, award.recipient_name) == ("R0", "FIRM 0 INC")


class TestRowsThatCannotBeRead:
    def tear(self, tmp_path, name="awards.csv"):
        path = tmp_path / name
        lines = path.read_text().splitlines()
        lines[5] = lines[5].rpartition(",")[0]
        path.write_text("\n".join(lines) + "\n")

    @pytest.mark.parametrize("name", ["awards", "recipients"])
    def test_not_one_may_be_in_a_labelled_fixture(self, gate, tmp_path, name):
        self.tear(tmp_path, f"{name}.csv")
        with pytest.raises(InputError, match=rf"/{name}\.csv:6: 1 of 12 {name} of the fixture ") as caught:
            gate(ReadingEngine(own_row))
        assert caught.value.exit_status == 2

    def test_without_a_truth_they_are_counted_and_the_first_is_named(self, gate, tmp_path):
        rows = (tmp_path / "awards.csv").read_text()
        more = "".join(f"B{n},Firm {n} Inc,Phase I,{n},\n" for n in range(200))
        (tmp_path / "awards.csv").write_text(rows + more + "B200,torn\n")
        verdict = gate(ReadingEngine(lambda _number, _rows: "R1"), has_truth=False).verdict
        assert verdict.outcome is Outcome.WARN
        (reason,) = reasons(verdict)
        assert reason.startswith("Rejected rows: 1, above the maximum of 0: ")
        assert "awards.csv:214: 2 columns, 5 expected" in reason


class TestATruthOfOtherFiles:
    def test_awards_that_are_not_in_the_fixture_are_an_error(self, gate, tmp_path):
        with (tmp_path / "truth.csv").open("a") as file:
            file.write("A99,R1\n")
        with pytest.raises(InputError, match=r"1 of 13 awards are not in the fixture: 'A99' \(line 14\)"):
            gate(ReadingEngine(own_row))

    def test_recipients_that_are_in_no_row_are_an_error(self, gate, tmp_path):
        truth = tmp_path / "truth.csv"
        truth.write_text(truth.read_text().replace("R3\n", "R77\n"))
        with pytest.raises(InputError, match=r"1 of 12 recipient ids are in no recipient: 'R77' \(line 5\)"):
            gate(ReadingEngine(own_row))


class TestFilesWithoutIds:
    def test_the_engine_is_handed_the_ids_by_which_its_answers_are_held(self, gate, tmp_path):
        for name in ("awards.csv", "recipients.csv"):
            lines = (tmp_path / name).read_text().splitlines()
            (tmp_path / name).write_text("".join(f"{line.partition(',')[2]}\n" for line in lines))
        engine = ReadingEngine(own_row)
        result = gate(engine, has_truth=False)
        values = {metric.name: metric.values[0] for metric in result.run.metrics}
        assert (values["rows_missing"], values["rows_unknown"], values["recipients_unknown"]) == (0, 0, 0)
        assert values["match_rate"] == 1
        awards, recipients = engine.handed[0]
        assert awards.splitlines()[0] == "Company,Phase,Number Employees,UEI,award_id"
        assert recipients.splitlines()[0] == "legal_business_name,uei,recipient_id"

    @pytest.mark.parametrize("blank", first_fast([" ", "\t", "\xa0"]))
    def test_blanks_around_ids_of_the_source_are_no_fault_of_the_engine(self, gate, tmp_path, blank):
        for name in ("awards.csv", "recipients.csv"):
            header, *lines = (tmp_path / name).read_text().splitlines()
            padded = (re.sub("^([^,]+)", rf'"{blank}\1{blank}"', line) for line in lines)
            (tmp_path / name).write_text("\n".join([header, *padded]) + "\n")
        engine = ReadingEngine(own_row)
        run = gate(engine).run
        values = {metric.name: metric.values[0] for metric in run.metrics}
        assert (values["rows_missing"], values["rows_unknown"], values["recipients_unknown"]) == (0, 0, 0)
        assert (values["precision"], values["recall"]) == (1, 1)
        assert run.awards[0].link == "R0"

    def test_files_with_ids_are_handed_as_they_are(self, gate, tmp_path):
        engine = ReadingEngine(own_row)
        gate(engine)
        assert engine.handed[0][0] == (tmp_path / "awards.csv").read_text()


class TestRowsOfOneEntity:
    def twin(self, tmp_path):
        """Give every recipient a second row with the same UEI."""
        ueis = [f"QNT4K8W2J6{number:02d}" for number in range(10, 10 + AWARDS)]
        (tmp_path / "recipients.csv").write_text(
            "recipient_id,legal_business_name,uei\n"
            + "".join(f"R{n},FIRM {n} INC,{uei}\n" for n, uei in enumerate(ueis))
            + "".join(f"S{n},FIRM {n} INCORPORATED,{uei}\n" for n, uei in enumerate(ueis))
        )

    def second_row(self, number, rows):
        return rows[AWARDS + number]["recipient_id"]

    def test_a_link_to_any_row_of_the_right_entity_is_right(self, gate, tmp_path):
        self.twin(tmp_path)
        quality = gate(ReadingEngine(self.second_row)).run.quality
        assert (quality.precision, quality.recall) == (1.0, 1.0)

    @pytest.mark.parametrize("has_truth", first_fast([True, False]))
    def test_a_move_between_its_rows_is_no_change_and_saved_runs_tell_so_too(self, gate, tmp_path, has_truth):
        self.twin(tmp_path)
        before, after = (
            load_run(gate(ReadingEngine(choose), has_truth).run_path) for choose in (own_row, self.second_row)
        )
        assert {award.link[0] for award in after.awards} == {"S"}
        found = records_of(after, before, Policy(()))
        assert (found.lost, found.relinked, found.gained, found.worsened) == ((), (), (), 0)

    def test_a_move_to_another_entity_is_one(self, gate, tmp_path):
        self.twin(tmp_path)
        before = gate(ReadingEngine(own_row), has_truth=False).run
        after = gate(ReadingEngine(lambda number, rows: rows[-1 - number]["recipient_id"]), False).run
        assert records_of(after, before, Policy(())).worsened == AWARDS


class TestTheRateOfAllAwards:
    """Awards 0 to 8 are of a stratum of 90 awards, 10 and 11 (of another company size) of one of 10."""

    @pytest.fixture
    def drawn(self, gate, tmp_path):
        def run(engine, threshold=0.5, **changes):
            profiles = read_profiles(
                load_settings(None, {}, {"fixtures.awards": str(tmp_path / "awards.csv")})
            )
            draw = draw_of_profiles(profiles, {"micro": 90, "small": 10})
            (tmp_path / "draw.json").write_text(encode(FIXTURE_DRAW, replace(draw, **changes)))
            return gate(
                engine,
                has_truth=False,
                more=[
                    f"fixtures.draw={tmp_path / 'draw.json'}",
                    f"enrichment.performance.match_rate_threshold={threshold}",
                    "gate.match_rate_of=population",
                ],
            )

        return run

    def test_it_is_estimated_and_judged(self, drawn):
        # the ten small firms are linked, the two larger ones are not
        engine = ReadingEngine(lambda number, rows: rows[number]["recipient_id"] if number < 10 else "")
        result = drawn(engine, threshold=0.89)
        population = result.run.quality.population
        assert result.run.quality.match_rate == 10 / 12
        assert (population.awards, population.rate) == (100, 0.9)
        assert population.low < 0.9 < population.high
        assert result.verdict.population == population
        assert result.verdict.outcome is Outcome.NO_BASELINE
        failed = drawn(engine, threshold=0.91).verdict
        assert failed.outcome is Outcome.FAIL
        assert "Match rate of all awards: 0.900, below the minimum of 0.910" in reasons(failed)

    def test_a_draw_of_other_awards_is_an_error(self, drawn):
        with pytest.raises(InputError, match="not how the fixture was drawn: the fixture has other awards"):
            drawn(ReadingEngine(own_row), award_ids_sha256="0" * 64)

    def test_without_a_draw_the_threshold_on_it_is_refused(self, gate):
        with pytest.raises(
            ConfigurationError, match=r"fixtures\.draw does not say how the fixture was drawn"
        ):
            gate(ReadingEngine(own_row), more=["gate.match_rate_of=population"])

    @pytest.mark.slow
    def test_a_change_of_the_draw_is_one_of_the_fixture(self, drawn):
        engine = ReadingEngine(own_row)
        before, same, after = (drawn(engine, seed=seed).run.fixture.fingerprint for seed in (1, 1, 2))
        assert before == same != after


def draw_of_profiles(profiles, sizes):
    """Return a draw of these awards from strata with the given numbers of awards, by company size."""
    drawn = Counter(map(stratum_key, profiles))
    source = DrawnFrom("awards.csv", sum(sizes.values()), 1, "0" * 64)
    strata = tuple(DrawnStratum(*key, sizes[key[2]], count) for key, count in sorted(drawn.items()))
    ids = ids_digest(profile.award_id for profile in profiles)
    return FixtureDraw(1, len(profiles), date(2026, 1, 31), "0.1.0", source, source, strata, ids)
