"""The figures of the house, of any checkout: modules, rooms, importers, parsed messages and fake documents.

    python tests/performance/house_figures.py [CHECKOUT] [--list]

It reads the source alone, imports nothing of it, and so measures old commits as well. `--list` names what was
counted. What counts as what:

- A module is a .py file of the package, without `__init__.py` and `__main__.py`. A room is a folder; its
  size is the number of modules directly in it.
- An importer of a module is another module of the package that imports it or a name from it, at any place.
- A message is parsed where the program takes one of its own sentences apart or decides by one: a message,
  reason, note or limit that is compared with a text, looked up in a set of sentences, or cut with
  removeprefix, partition, replace, a regular expression and the like. Cleaning white space, masking secrets
  and reading what another program or library said (git, pydantic, GitHub) are not counted.
- A fake document is a Run or a Verdict that is built to fit a signature: anywhere but where one is measured,
  judged, left for an error, or decoded. A document is cut to fit where `replace` gives it other metrics,
  decisions, samples or changes than it has.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

FEW_LINES = 40
# attributes and names that hold a sentence of the program
SENTENCES = {"message", "hint", "reason", "reasons", "note", "notes", "stderr_tail"}
LIMITS = {"limit"}  # in words, until limits became numbers
CUTTING = {"removeprefix", "removesuffix", "partition", "rpartition", "split", "rsplit", "find", "index"} | {
    "startswith",
    "endswith",
    "replace",
}
DOCUMENTS = {"Run", "Verdict"}
# who makes documents: the function that measures, judges, or leaves an error
MAKERS = {"run_of", "judge", "_verdict", "leave_error", "error_verdict_of"}
# what another program or library said, or what is no sentence: (name of the module, name of the function)
FOREIGN = {
    ("action_inputs", "_problem"): "pydantic's",
    ("validation", "in_words"): "pydantic's",
    ("retrying", "is_limit"): "GitHub's",
    ("github_requests", "_explained"): "a secret is masked",
    ("message", "row_text"): "whether there is a limit at all",
    ("upgrades", "_reasons"): "an older document's, which had sentences alone",
}
CONTENT = {"metrics", "decisions", "samples", "changes"}


def modules_of(package: Path) -> dict[str, Path]:
    """Return the modules of the package by their dotted name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def is_counted(path: Path) -> bool:
    """Say whether a file counts as a module."""
    return path.name not in {"__init__.py", "__main__.py"}


def importers_of(modules: dict[str, Path], trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Return who imports each module."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, tree in trees.items():
        for node in ast.walk(tree):
            targets = []
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    targets.append(inner if inner in modules else node.module)
            elif isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            for target in targets:
                if target in modules and target != name:
                    found[target].add(name)
    return found


def functions_of(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Yield every node with the name of the innermost function around it."""

    def walk(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
            yield inner, child
            yield from walk(child, inner)

    return walk(tree, "")


def last_name(node: ast.AST) -> str:
    """Return the last name of an expression: `message` of `error.message.strip()`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Subscript):
        return last_name(node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return last_name(node.func.value)
    return ""


def is_parsing(node: ast.AST) -> bool:
    """Say whether the node takes a sentence apart, or decides by one."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        name = node.func.attr
        if name in CUTTING and (node.args or name == "partition"):
            return last_name(node.func.value) in SENTENCES
        if name in {"match", "search", "fullmatch", "sub", "findall"}:
            return any(last_name(argument) in SENTENCES for argument in node.args)
        return name == "get" and any(last_name(argument) in SENTENCES for argument in node.args)
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        operator = node.ops[0]
        if isinstance(operator, ast.In | ast.NotIn):
            is_text = isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)
            within = last_name(node.comparators[0])
            return (is_text and within in SENTENCES | LIMITS) or last_name(node.left) in SENTENCES
        if isinstance(operator, ast.Eq | ast.NotEq):
            attributes = [side.attr for side in sides if isinstance(side, ast.Attribute)]
            constants = [side for side in sides if re.fullmatch(r"[A-Z][A-Z_]+", last_name(side))]
            texts = [side for side in sides if isinstance(side, ast.Constant) and isinstance(side.value, str)]
            names = {*map(last_name, sides)}
            is_sentence = bool(names & SENTENCES) or bool({*attributes} & LIMITS)
            return is_sentence and bool(constants or [text for text in texts if text.value])
    return False


def is_fake(node: ast.AST, function: str) -> bool:
    """Say whether the node builds a document outside of its makers."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in DOCUMENTS
        and function not in MAKERS
    )


def is_cut(node: ast.AST) -> bool:
    """Say whether the node makes a copy of a document with other content."""
    return (
        isinstance(node, ast.Call)
        and last_name(node.func) == "replace"
        and any(keyword.arg in CONTENT for keyword in node.keywords)
    )


def places(
    modules: dict[str, Path], trees: dict[str, ast.Module], package: Path
) -> tuple[list[str], list[str], list[str]]:
    """Return the places where a message is parsed, and where a document is built or cut to fit."""
    parsed, fakes, cuts = {}, {}, {}
    for name, tree in trees.items():
        lines = modules[name].read_text(encoding="utf-8").splitlines()
        where = modules[name].relative_to(package.parent).as_posix()
        for function, node in functions_of(tree):
            number = getattr(node, "lineno", 0)
            if not number:
                continue
            place = f"{where}:{number} {function}: {lines[number - 1].strip()}"
            if is_parsing(node) and (name.rpartition(".")[2], function) not in FOREIGN:
                parsed[where, number] = place
            if is_fake(node, function):
                fakes[where, number] = place
            if is_cut(node):
                cuts[where, number] = place
    return [*parsed.values()], [*fakes.values()], [*cuts.values()]


def main() -> None:
    """Print the figures of a checkout."""
    parser = argparse.ArgumentParser(description="The figures of the house, of any checkout.")
    parser.add_argument("checkout", nargs="?", type=Path, default=Path(__file__).parents[2])
    parser.add_argument("--list", action="store_true", help="name what was counted")
    arguments = parser.parse_args()
    package = arguments.checkout / "sbir_gate"
    modules = modules_of(package)
    trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in modules.items()}
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules.items()}
    counted = [name for name, path in modules.items() if is_counted(path)]
    importers = importers_of(modules, trees)
    rooms = Counter(name.rpartition(".")[0] for name in counted)
    single = [name for name in counted if len(importers[name]) == 1]
    small = [name for name in single if lines[name] < FEW_LINES]
    parsed, fakes, cuts = places(modules, trees, package)
    room, size = rooms.most_common(1)[0]
    longest = max(counted, key=lines.__getitem__)
    rows = [
        ("modules", len(counted)),
        ("lines of the package", sum(lines.values())),
        ("rooms", len(rooms)),
        ("largest room", f"{size} ({room})"),
        ("longest module", f"{lines[longest]} ({longest})"),
        ("modules with one importer", len(single)),
        (f"of these under {FEW_LINES} lines", len(small)),
        ("places that parse a message", len(parsed)),
        ("fake documents", len(fakes)),
        ("documents cut to fit", len(cuts)),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value if isinstance(value, str) else f'{value:,}'}")
    if arguments.list:
        for title, found in (("under 40 lines", small), ("parsed", parsed), ("fake", fakes), ("cut", cuts)):
            print(f"\n{title}:", *found, sep="\n  ")


if __name__ == "__main__":
    main()
