"""Settings that cannot be used end `run` with one error, and leave no older verdict behind."""

import pytest
from click.testing import CliRunner

from sbir_gate.cli.run import run
from sbir_gate.documents import load_verdict
from sbir_gate.errors import ConfigurationError, ExitStatus
from sbir_gate.model.verdict import Outcome
from tests.findings import reasons

SOUND = "gate: {name: linking}\nreports: {folder: told}\n"
PROJECT = '[tool.sbir-gate]\nconfig = "other.yaml"\n'


@pytest.mark.parametrize(
    ("files", "folder", "words"),
    [
        ({"sbir-gate.yaml": SOUND + "nonsense: 1\n"}, "told", "nonsense"),
        ({"sbir-gate.yaml": SOUND, "pyproject.toml": PROJECT, "other.yaml": SOUND}, "reports", "pyproject"),
        ({"sbir-gate.yaml": "gate: [\n"}, "reports", "sbir-gate.yaml"),
        ({"sbir-gate.yaml/file": ""}, "reports", "sbir-gate.yaml"),
    ],
    ids=["unknown-key", "two-files", "no-yaml", "folder"],
)
def test_settings_that_cannot_be_used_leave_a_verdict_error(tmp_path, monkeypatch, files, folder, words):
    monkeypatch.chdir(tmp_path)
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "report.md").write_text("of an earlier run: pass")
    done = CliRunner().invoke(run, ["--quiet"])
    assert isinstance(done.exception, ConfigurationError)
    assert done.exception.exit_status is ExitStatus.WRONG_INPUT
    assert words in done.exception.message
    verdict = load_verdict(tmp_path / folder / "verdict.json")
    assert verdict.outcome is Outcome.ERROR
    assert words in reasons(verdict)[0]
    assert "earlier" not in (tmp_path / folder / "report.md").read_text()
