import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.errors import PublishError
from sbir_gate.gate.publishing.workflow import (
    MAX_SUMMARY_BYTES,
    append_outputs,
    append_summary,
    render_annotations,
)
from sbir_gate.model.publication import Annotation, AnnotationLevel

FAILURE, WARNING, NOTICE = AnnotationLevel.FAILURE, AnnotationLevel.WARNING, AnnotationLevel.NOTICE


def unescaped(text):
    for code, character in (("%0A", "\n"), ("%0D", "\r"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def read_commands(text):
    """Return the commands in a text, as a runner reads it: line by line, leading blanks left out."""
    found = []
    for line in re.split(r"\r\n|\r|\n", text):
        parsed = re.fullmatch(r"::(?P<word>[a-z-]+)(?: (?P<facts>.*?))?::(?P<data>.*)", line.lstrip())
        if parsed:
            facts = dict(pair.split("=", 1) for pair in (parsed["facts"] or "").split(",") if pair)
            found.append(
                (parsed["word"], {k: unescaped(v) for k, v in facts.items()}, unescaped(parsed["data"]))
            )
    return found


def read_outputs(text):
    """Return the outputs in a file, as a runner reads it."""
    found, lines = {}, iter(text.split("\n"))
    for line in lines:
        if line:
            name, _, delimiter = line.partition("<<")
            value = []
            for each in lines:
                if each == delimiter:
                    break
                value.append(each)
            found[name] = "\n".join(value)
    return found


class TestAnnotations:
    def test_a_remark_names_file_line_and_title(self):
        text = render_annotations([Annotation(FAILURE, "time", "25 % slower", "config/base.yaml", 143)])
        assert text == "::error file=config/base.yaml,line=143,title=time::25 %25 slower\n"

    def test_a_remark_on_no_file_names_none(self):
        assert render_annotations([Annotation(WARNING, "t", "m")]) == "::warning title=t::m\n"
        assert render_annotations([Annotation(NOTICE, "", "m")]) == "::notice::m\n"

    def test_at_most_ten_of_each_kind_are_told(self):
        remarks = [Annotation(level, "t", str(number)) for number in range(12) for level in AnnotationLevel]
        words = [word for word, _, _ in read_commands(render_annotations(remarks))]
        assert {word: words.count(word) for word in words} == {"error": 10, "warning": 10, "notice": 10}

    @pytest.mark.parametrize(
        "text",
        [
            "x\n::set-output name=a::b",
            "x\r::add-mask::y",
            "x::y",
            "a,file=b",
            "100%0A::stop-commands::x",
            "\u2028::error::x",
            "##[error]x",
        ],
    )
    def test_data_cannot_start_a_command(self, text):
        found = read_commands(render_annotations([Annotation(FAILURE, text, text, text, 1)]))
        assert len(found) == 1
        assert found[0][0] == "error"
        assert sorted(found[0][1]) == ["file", "line", "title"]

    @given(st.text(), st.text(), st.text())
    def test_whatever_the_text_there_is_one_command_and_it_says_that_text(self, title, message, path):
        ((word, facts, data),) = read_commands(
            render_annotations([Annotation(FAILURE, f"t{title}", f"m{message}", f"p{path}", 3)])
        )
        seen = str.maketrans(
            {chr(code): " " for code in (*range(10), 11, 12, *range(14, 32), *range(127, 160))}
        )
        seen |= str.maketrans({"\u2028": " ", "\u2029": " "})
        assert word == "error"
        assert data == f"m{message}".translate(seen)
        assert facts == {
            "file": f"p{path}".translate(seen),
            "line": "3",
            "title": f"t{title}".translate(seen),
        }


class TestSummary:
    def test_it_is_appended_to_what_other_steps_wrote(self, tmp_path):
        path = tmp_path / "summary.md"
        path.write_text("of another step\n")
        assert append_summary(path, ["# full", "bare"]) == "# full"
        assert path.read_text() == "of another step\n# full\n"

    def test_what_does_not_fit_gives_way_to_a_shorter_text(self, tmp_path):
        path = tmp_path / "summary.md"
        path.write_bytes(b"x" * (MAX_SUMMARY_BYTES - 10))
        assert append_summary(path, ["ä" * 6, "short"]) == "short"
        assert path.stat().st_size <= MAX_SUMMARY_BYTES

    def test_where_nothing_fits_nothing_is_written(self, tmp_path):
        path = tmp_path / "summary.md"
        path.write_bytes(b"x" * MAX_SUMMARY_BYTES)
        assert append_summary(path, ["short"]) == ""
        assert path.stat().st_size == MAX_SUMMARY_BYTES

    def test_a_file_that_cannot_be_written_is_named(self, tmp_path):
        with pytest.raises(PublishError, match=r"missing.*cannot be written"):
            append_summary(tmp_path / "missing" / "summary.md", ["x"])


class TestOutputs:
    def written(self, tmp_path, outputs, delimiter="end-0123"):
        path = tmp_path / "output"
        path.write_text("earlier=1\n")
        append_outputs(path, outputs, lambda: delimiter)
        return path.read_text().removeprefix("earlier=1\n")

    def test_they_are_read_back(self, tmp_path):
        outputs = {"verdict": "fail", "changed_metrics": '["a"]', "report": "two\nlines", "empty": ""}
        assert read_outputs(self.written(tmp_path, outputs)) == outputs

    def test_a_value_cannot_make_another_output(self, tmp_path):
        value = "x\nend-0124\nother<<y\nz\ny\nverdict=pass"
        assert read_outputs(self.written(tmp_path, {"report": value})) == {"report": value}

    def test_a_value_that_holds_the_delimiter_is_refused(self, tmp_path):
        with pytest.raises(PublishError, match="delimiter"):
            self.written(tmp_path, {"report": "x\nend-0123\nverdict=pass"})

    @pytest.mark.parametrize("name", ["", "a b", "a\nb", "GITHUB_TOKEN", "a<<b", "a=b"])
    def test_a_name_that_is_none_is_refused(self, tmp_path, name):
        with pytest.raises(PublishError, match="cannot be named"):
            self.written(tmp_path, {name: "x"})

    def test_a_file_that_cannot_be_written_is_named(self, tmp_path):
        with pytest.raises(PublishError, match="cannot be written"):
            append_outputs(tmp_path, {"verdict": "pass"}, lambda: "end")
