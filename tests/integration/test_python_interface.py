"""The interface from Python: the examples of docs/python.md run, and its names do not change unseen."""

import dataclasses
import enum
import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from sbir_gate.errors import UsageError
from sbir_gate.gate import render
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.rendering import FORMATS, Judged
from sbir_gate.model.verdict import Outcome
from tests.factories import make_policy, make_run

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
PUBLIC = {
    "sbir_gate.engine": None,
    "sbir_gate.gate": None,
    "sbir_gate.settings": ("EffectiveSettings", "Settings", "load_settings"),
}
SETTINGS = "gate:\n  name: ours\n"


@pytest.mark.slow
def test_the_examples_of_the_page_run(tmp_path, monkeypatch, capsys):
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    (tmp_path / "sbir-gate.yaml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names = {}
    for example in EXAMPLES:
        exec(example, names)  # noqa: S102 -- the page's own code
    assert re.match(r"8\d\d of 1,000 awards linked\nno-baseline 0\.8", capsys.readouterr().out)
    assert 0 < len(names["links"]) < 800
    assert dict(names["by_method"])["uei-exact"] > 0
    assert names["settings"].matching.min_precision == 0.99
    assert names["judged"].report_path.is_file()
    assert names["again"].verdict.outcome is Outcome.PASS
    assert (tmp_path / "report.md").read_text(encoding="utf-8").startswith("### ✅ sbir-gate ours: pass")
    assert names["engine"] == "built-in"


def described(name, thing):
    if isinstance(thing, type) and issubclass(thing, enum.Enum):
        return f"{name}: {', '.join(thing.__members__)}"
    if inspect.isfunction(thing):
        return name + re.sub(r"<function (\S+) at 0x\w+>", r"\1", str(inspect.signature(thing)))
    if not dataclasses.is_dataclass(thing) or thing.__module__.startswith("sbir_gate.model."):
        return name  # what a saved document holds is in docs/schemas
    methods = [
        f"\n  .{member}{inspect.signature(value)}" if callable(value) else f"\n  .{member}"
        for member, value in vars(thing).items()
        if not member.startswith("_") and (callable(value) or isinstance(value, property))
    ]
    return f"{name}({', '.join(field.name for field in dataclasses.fields(thing))}){''.join(methods)}"


def test_the_public_names_and_their_signatures_change_only_on_purpose(check_golden):
    lines = []
    for place, names in PUBLIC.items():
        module = import_module(place)
        lines += [
            place,
            *(described(name, getattr(module, name)) for name in sorted(names or module.__all__)),
            "",
        ]
    check_golden("public-names.txt", "\n".join(lines))


@pytest.mark.parametrize("place", list(PUBLIC)[:2])
def test_the_page_and_the_docstrings_describe_each_public_name(place):
    module = import_module(place)
    assert [name for name in module.__all__ if not (getattr(module, name).__doc__ or "").strip()] == []
    functions = [name for name in module.__all__ if inspect.isfunction(getattr(module, name))]
    assert [name for name in functions if name not in PAGE] == []
    assert set(module.__all__) <= set(dir(module))


def test_a_name_that_the_gate_does_not_have_is_an_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        import_module("sbir_gate.gate").nothing  # noqa: B018 -- asked for


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_rendered_and_the_same_again(name):
    judged = Judged(make_run(), judge(make_run(), None, make_policy()))
    assert render(judged, name) == render(judged, name) != ""


def test_another_format_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="there is no such format") as raised:
        render(Judged(make_run(), judge(make_run(), None, make_policy())), "markdwn")
    assert "markdown" in raised.value.hint
