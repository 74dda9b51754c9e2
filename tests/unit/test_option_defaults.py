"""What steps are given comes from the settings: a default in a class beside them would differ one day."""

import ast
from pathlib import Path

import sbir_gate

# held against the settings by tests/unit/settings/test_judgement.py
PROVEN = {"Policy.max_lost", "Policy.significance"}


def has_number(node):
    return any(isinstance(part, ast.Constant) and type(part.value) in {int, float} for part in ast.walk(node))


def test_options_of_the_steps_have_no_numbers_of_their_own():
    classes = (
        node
        for path in Path(sbir_gate.__file__).parent.rglob("*.py")
        if path.parent.name != "settings"
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Options", "Policy"))
    )
    found = {
        f"{node.name}.{field.target.id}"
        for node in classes
        for field in node.body
        if isinstance(field, ast.AnnAssign) and field.value is not None and has_number(field.value)
    }
    assert found - PROVEN == set()
