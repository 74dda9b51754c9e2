"""The questions of `sbir-gate init`, asked on a terminal."""

from __future__ import annotations

import os

import pytest

from tests.factories_pipelines import COMMAND
from tests.integration.test_init import content, team
from tests.terminal import CTRL_C, CTRL_D, Terminal

pytestmark = pytest.mark.slow  # each starts the program on a terminal
AWARDS, RECIPIENTS = "File of your awards: ", "File of your recipients: "
ENGINE, PYTHON, TRUTH = "(empty: the built-in engine): ", "Interpreter for {python}", "(empty: none): "


@pytest.fixture
def folder(tmp_path):
    return team(tmp_path / "team").folder


def ask(folder, **more):
    return Terminal(["init"], folder, {"PATH": os.environ["PATH"], "HOME": str(folder), **more})


def answer_all(terminal):
    terminal.answer(AWARDS, "data/awards.csv")
    terminal.answer(RECIPIENTS, "data/recipients.csv")
    terminal.answer(ENGINE, COMMAND)
    terminal.answer(PYTHON + " [.venv/bin/python]: ", "")


def test_answers_make_the_gate(folder):
    terminal = ask(folder)
    answer_all(terminal)
    terminal.answer(TRUTH, "")
    assert terminal.end() == 0, terminal.shown
    assert "created: sbir-gate.yaml" in terminal.shown
    assert "python: '.venv/bin/python'" in (folder / "sbir-gate.yaml").read_text()


@pytest.mark.parametrize(
    ("variables", "mark"), [({"NO_COLOR": "1"}, "error: "), ({}, "\x1b[31m\x1b[1merror:\x1b[0m ")]
)
def test_an_answer_that_cannot_be_used_is_asked_again_at_once(folder, variables, mark):
    before = content(folder)
    terminal = ask(folder, **variables)
    terminal.answer(AWARDS, "nowhere.csv")
    assert f"{mark}nowhere.csv: no such file" in terminal.answer(AWARDS, "data/recipients.csv")
    assert "the columns are those of recipients" in terminal.answer(AWARDS, "data/awards.csv")
    terminal.answer(RECIPIENTS, "data/recipients.csv")
    terminal.answer(ENGINE, "python enrich.py")
    assert "placeholder {awards} is missing" in terminal.answer(ENGINE, f"{COMMAND} | sort")
    assert "without a shell, which | needs" in terminal.answer(ENGINE, COMMAND)
    terminal.answer(PYTHON, "nowhere/python")
    assert "nowhere/python: no such program" in terminal.answer(PYTHON, "")
    terminal.answer(TRUTH, "nowhere.csv")
    assert "the truth cannot be read" in terminal.answer(TRUTH, CTRL_D)
    assert terminal.end() == 2
    assert f"\n{mark}the input ended before all questions were answered; " in terminal.shown.replace("\r", "")
    assert ("\x1b" in terminal.shown) == (not variables)
    assert content(folder) == before


def test_an_interruption_ends_it_and_writes_nothing(folder):
    before = content(folder)
    terminal = ask(folder)
    terminal.answer(AWARDS, "data/awards.csv")
    terminal.answer(RECIPIENTS, CTRL_C)
    assert terminal.end() == 130
    assert "interrupted" in terminal.shown
    assert content(folder) == before
