"""The pages hold what the program does: its verbs, options, settings and files exist, links lead on."""

import re

import click
import pytest
import yaml

from sbir_gate.cli.application import application
from sbir_gate.settings.keys import KNOWN_KEYS, is_known
from tests.documentation import FENCE, PAGES, ROOT, TEST_NAME, gate_calls, names_in, place

INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HELP = {"--help", "-h"}


def code_of(page):
    """Return every piece of code on the page: fenced (continued lines joined), indented, inline."""
    text = page.read_text(encoding="utf-8")
    fenced = [line for _, body in FENCE.findall(text) for line in body.replace("\\\n", " ").splitlines()]
    rest = FENCE.sub("", text)
    indented = [line for line in rest.splitlines() if line.startswith("    ")]
    return [*fenced, *indented, *INLINE.findall(rest)]


def commands_of(page):
    """Return the arguments of every `sbir-gate ...` on the page."""
    return [arguments for code in code_of(page) for arguments in gate_calls(code)]


def faults_of(arguments):
    """Return what the program does not know of a command line."""
    command, context, faults = application, click.Context(application), []
    words = iter(arguments)
    for word in words:
        if word.startswith("-"):
            known = {name: option for option in command.get_params(context) for name in option.opts}
            name, _, value = word.partition("=")
            if name not in known and name not in HELP:
                faults.append(f"option {name}")
            elif name == "--set":
                key = (value or next(words, "")).partition("=")[0]
                faults += [] if is_known(key) else [f"setting {key}"]
            elif name in known and not value and not getattr(known[name], "is_flag", False):
                next(words, None)
        elif isinstance(command, click.Group):
            verb = command.get_command(context, word)
            if verb is None:
                return [*faults, f"verb {word}"]
            command, context = verb, click.Context(verb, parent=context)
    return faults


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_every_command_on_a_page_is_one_that_the_program_knows(page):
    wrong = {
        " ".join(arguments): faults for arguments in commands_of(page) if (faults := faults_of(arguments))
    }
    assert wrong == {}


def test_commands_are_found_on_the_pages():
    # or the test above would be content with finding nothing
    assert len(commands_of(ROOT / "README.md")) >= 8
    assert len(commands_of(ROOT / "docs" / "verdicts.md")) >= 20


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["launch"], "verb launch"),
        (["baseline", "destroy"], "verb destroy"),
        (["run", "--fast"], "option --fast"),
        (["run", "--set", "gate.max_loss=3"], "setting gate.max_loss"),
    ],
)
def test_what_the_program_does_not_know_is_noticed(arguments, fault):
    assert faults_of(arguments) == [fault]


def anchors_of(page):
    """Return the anchors that GitHub gives the page's headings."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_every_link_between_pages_leads_somewhere(page):
    broken = []
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    assert broken == []


def test_every_page_of_the_site_is_in_its_contents_once():
    contents = (ROOT / "docs" / "index.rst").read_text(encoding="utf-8")
    listed = re.findall(r"^   ([\w/-]+)$", contents, re.MULTILINE)
    pages = [page.relative_to(ROOT / "docs").with_suffix("").as_posix() for page in ROOT.glob("docs/**/*.md")]
    assert sorted(listed) == sorted(pages)


def test_the_metrics_page_describes_every_metric_that_has_a_limit():
    base = yaml.safe_load((ROOT / "config" / "base.yaml").read_text(encoding="utf-8"))
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert [name for name in base["gate"]["metrics"] if f"`{name}`" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_every_setting_that_a_page_names_exists(page):
    sections = "|".join(sorted({key.split(".")[0] for key in KNOWN_KEYS}))
    named = re.compile(rf"(?:{sections})(?:\.[a-z_]+)+")
    keys = {code for code in INLINE.findall(page.read_text(encoding="utf-8")) if named.fullmatch(code)}
    known = {*KNOWN_KEYS} | {key.rsplit(".", depth)[0] for key in KNOWN_KEYS for depth in (1, 2, 3)}
    files = {key for key in keys if key.endswith((".py", ".yaml", ".json", ".csv"))}
    assert sorted(keys - known - files) == []


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_every_file_of_the_project_that_a_page_names_exists(page):
    named = re.compile(r"(?:sbir_gate|tests|docs|config|fixtures)/[\w./-]+\.(?:py|md|yaml|json|csv|txt|toml)")
    text = page.read_text(encoding="utf-8")
    paths = {code for code in INLINE.findall(text) if named.fullmatch(code)}
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []


def test_no_page_names_a_path_of_one_machine():
    private = re.compile(r"(?<![\w.])/(?:work|home|root|Users|opt|srv)/")
    assert [place(page) for page in PAGES if private.search(page.read_text(encoding="utf-8"))] == []


DAGSTER_TASKS = ("1.2", "1.3", "2.4", "2.6", "3.1", "3.2", "3.5", "3.6", "5.1", "5.2", "5.3", "5.4")


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_every_test_that_a_page_names_is_there(page):
    named = TEST_NAME.findall(page.read_text(encoding="utf-8"))
    assert [each for each in named if each[1] not in names_in(ROOT / each[0])] == []


def test_every_task_of_the_dagster_pipeline_has_a_test():
    text = (ROOT / "docs" / "dagster.md").read_text(encoding="utf-8")
    rows = {row.split("|")[1].strip(): row for row in text.splitlines() if row.count("|") == 4}
    assert all(TEST_NAME.search(rows[task]) for task in DAGSTER_TASKS)


def test_every_row_of_the_mission_names_a_command_a_file_and_a_test():
    text = (ROOT / "docs" / "reference" / "mission.md").read_text(encoding="utf-8")
    rows = [row.split("|")[1:-1] for row in re.findall(r"^\| .*\|$", text, re.MULTILINE)[1:]]
    assert len(rows) >= 30
    for number, what, command, file, test in rows:
        assert INLINE.search(command), what
        assert (ROOT / file.strip(" `")).is_file(), what
        assert TEST_NAME.search(test), what
        workflow = re.search(r"workflow `(.+)`", command)
        assert workflow is None or (ROOT / workflow[1]).is_file(), what
        assert not number.strip() or re.fullmatch(r"[1-5]\.\d", number.strip()), what
    numbers = {row[0].strip() for row in rows}
    assert numbers >= {*DAGSTER_TASKS, "5.5"}
