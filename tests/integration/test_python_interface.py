"""The engine from Python: the examples of docs/engine.md run as they are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "engine.md").read_text(), re.DOTALL)


def test_the_examples_of_the_page_run(tmp_path, monkeypatch, capsys):
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    (tmp_path / "sbir-gate.yaml").write_text("gate:\n  name: ours\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names = {}
    for example in EXAMPLES:
        exec(example, names)  # noqa: S102 -- the page's own code
    assert re.fullmatch(r"8\d\d of 1,000 awards linked\n", capsys.readouterr().out)
    assert (tmp_path / "linked.parquet").is_file()
    assert names["settings"].matching.min_precision == 0.99
