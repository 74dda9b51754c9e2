"""The command that makes the shipped model still makes one, and always the same one."""

import pytest

from sbir_gate.datasets.synthesising.dataset import synthesise
from sbir_gate.datasets.synthesising.options import SynthesisOptions
from sbir_gate.engine.matching.confidence import parse_model
from tests.performance.train_default_model import main

SMALL = ["--awards", "600", "--recipients", "4000"]


@pytest.mark.slow
def test_a_small_model_is_made_from_worlds_and_labelled_files_and_is_the_same_each_time(tmp_path):
    case = synthesise(SynthesisOptions(200, 2_000, 5), tmp_path / "case")
    files = (case.awards_path, case.recipients_path, case.truth_path)
    labelled = [
        "--labelled",
        "mine",
        *map(str, files),
        "3",
        "--corrupt",
        str(case.recipients_path),
        "100",
        "1",
    ]
    outputs = [tmp_path / "one.json", tmp_path / "two.json"]
    for output in outputs:
        main([*SMALL, "--worlds", "plain", "hard", "--seed", "3", *labelled, "--output", str(output)])
    text = outputs[0].read_text(encoding="utf-8")
    model = parse_model(text)

    assert text == outputs[1].read_text(encoding="utf-8")
    assert all(f'"{name}": "' in text for name in ("plain-3", "hard-3", "mine", "corrupted-1"))
    assert any(model.weights)
    assert 0 < model.limits[0][1] <= 1
