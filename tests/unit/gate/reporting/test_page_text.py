from sbir_gate.gate.reporting.page_text import render_page_markdown, render_page_text
from sbir_gate.pages.blocks import Cell, Column, Fact, Page, Paragraph, Section, Table

TABLE = Table(
    "t",
    "Firms",
    (Column("Firm"), Column("Awards", is_number=True), Column("Id")),
    tuple(
        (f"Firm {place}", Cell(f"{place:,}", place), Cell(f"R{place}", is_code=True)) for place in range(5)
    ),
)
PAGE = Page(
    "Title", "Lead.", (Fact("Rate", "1.0%", "of all"),), (Section("s", "Part", (TABLE,)),), ("Note.",)
)
HOSTILE = "| <script>alert(1)</script> @everyone [x](//y) \x1b[31mred"


def test_markdown_has_facts_sections_and_the_first_rows():
    assert render_page_markdown(PAGE, 2) == (
        "# Title\n\nLead.\n\n| Figure | Value | Remark |\n| --- | ---: | --- |\n| Rate | 1.0% | of all |\n\n"
        "## Part\n\n| Firm | Awards | Id |\n| --- | ---: | --- |\n"
        "| Firm 0 | 0 | `R0` |\n| Firm 1 | 1 | `R1` |\n\n"
        "3 more rows are in the HTML and JSON reports.\n\nNote.\n"
    )


def test_a_terminal_gets_the_same_rows_within_its_width():
    text = render_page_text(PAGE, 40, 2)
    assert "  Firm 0       0  R0\n" in text
    assert "3 more rows are in the HTML and JSON" in text
    assert max(map(len, text.splitlines())) <= 50


def test_no_rows_are_said_in_words():
    page = Page(
        "T", sections=(Section("s", "Part", (Table("t", "Firms", TABLE.columns, (), empty="no firm"),)),)
    )
    assert "Firms: no firm." in render_page_markdown(page, 2)
    assert "Firms: no firm" in render_page_text(page, 80, 2)


def test_nothing_from_data_acts():
    table = Table("t", HOSTILE, TABLE.columns, ((HOSTILE, Cell(HOSTILE), Cell(HOSTILE, is_code=True)),))
    page = Page(
        HOSTILE,
        HOSTILE,
        (Fact(HOSTILE, HOSTILE),),
        (Section("s", HOSTILE, (Paragraph(HOSTILE), table)),),
        (HOSTILE,),
    )
    markdown = render_page_markdown(page, 9)
    assert "<script" not in markdown
    assert " @everyone" not in markdown.replace("<span>@</span>", "")
    assert all(line.count("|") == 4 for line in markdown.splitlines() if line.startswith("| "))
    assert "\x1b" not in render_page_text(page, 120, 9)
    assert "\x1b" not in markdown
