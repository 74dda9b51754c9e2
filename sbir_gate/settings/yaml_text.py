"""Strict YAML: values with their lines; duplicate keys, anchors, aliases and tags are refused.

Plain scalars are read as YAML 1.2 does (`yes` and `08:30` are text), so that a value means the
same in a file, in a variable and in an option.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import yaml

from sbir_gate.errors import Fault
from sbir_gate.settings.entries import Entry, Layer, Scalar, Value

MAX_VALUES = 5000
_TOO_MANY = f"holds more than {MAX_VALUES} values: not a configuration file"

_SYNTAX_HINT = "check indentation, colons, brackets and quotes there and just above"

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WHOLE_NUMBER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Item:
    """One mapping of a list: where it starts, and its entries by their plain keys."""

    path: str
    line: int
    entries: tuple[Entry, ...]

    @property
    def origin(self) -> str:
        """Where it starts, as in `config/waivers.yaml:3`."""
        return f"{self.path}:{self.line}"

    def fault(self, problem: str, key: str = "", hint: str = "") -> Fault:
        """Return what is wrong with the item."""
        return Fault(problem, self.path, self.line, column=key, hint=hint)


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that resolves no plain scalars and refuses what configuration has no use for."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 -- PyYAML's name for a class attribute

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it untyped
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases are not allowed",
                note="write the value out",
                problem_mark=event.start_mark,
            )
        if getattr(event, "tag", None) is not None:
            raise yaml.MarkedYAMLError(
                problem="tags such as !!str are not allowed",
                note="put text in quotes",
                problem_mark=event.start_mark,
            )
        return super().compose_node(parent, index)


def plain_value(text: str) -> Scalar:
    """Return what an unquoted YAML 1.2 scalar means: null, a truth value, a number, or the text itself."""
    if text in _NULL:
        return None
    if text in _TRUTH:
        return _TRUTH[text]
    if _WHOLE_NUMBER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    return text


def read_value(key: str, text: str, origin: str) -> Entry | Fault:
    """Return the value of a variable or an option: `[a, b]`, quoted text, or a plain scalar."""
    text = text.strip()
    if not text.startswith(("[", '"', "'")):
        return Entry(key, plain_value(text), origin)
    try:
        node = _compose(text)
        value = _value(node)
    except yaml.YAMLError as error:
        return Fault(f"is not a YAML value ({_described(error)})", origin, column=key, value=text)
    is_small = _count(value) <= MAX_VALUES
    return Entry(key, value, origin) if is_small else Fault(_TOO_MANY, origin, column=key)


@lru_cache(maxsize=8)  # a run reads base.yaml several times, and each takes some 50 ms
def read_layer(text: str, file: str) -> Layer:
    """Return the entries of a YAML document, nested keys joined by dots; `file` names it in origins."""
    node = _root(text, file)
    if isinstance(node, Fault):
        return Layer(faults=(node,))
    if node is None:
        return Layer(faults=(Fault("is empty: it must hold keys, as 'gate:' does", file),))
    if not isinstance(node, yaml.MappingNode):
        return Layer(faults=(Fault("must hold keys, as 'gate:' does", file, _line(node)),))
    found = list(_entries(node, "", file))
    entries = tuple(item for item in found if isinstance(item, Entry))
    if sum(_count(entry.value) for entry in entries) > MAX_VALUES:
        return Layer(faults=(Fault(_TOO_MANY, file),))
    return Layer(entries, tuple(item for item in found if isinstance(item, Fault)))


def read_list(text: str, file: str, key: str) -> tuple[tuple[Item, ...], tuple[Fault, ...]]:
    """Return the items of a document that holds nothing but a list of mappings under `key`.

    An empty document has no items. `file` names it in origins.
    """
    root = _root(text, file)
    held = root if root is None or isinstance(root, Fault) else _listed(root, file, key)
    if held is None:
        return (), ()
    if isinstance(held, Fault):
        return (), (held,)
    items, faults = [], []
    for node in held.value:
        if not isinstance(node, yaml.MappingNode):
            problem = "each item must hold keys, as '- metric: wall_seconds' does"
            faults.append(Fault(problem, file, _line(node), column=key))
            continue
        found = list(_entries(node, "", file))
        items.append(Item(file, _line(node), tuple(entry for entry in found if isinstance(entry, Entry))))
        faults += [fault for fault in found if isinstance(fault, Fault)]
    if sum(_count(entry.value) for item in items for entry in item.entries) > MAX_VALUES:
        return (), (Fault(_TOO_MANY, file),)
    return tuple(items), tuple(faults)


def _listed(root: yaml.Node, file: str, key: str) -> yaml.SequenceNode | Fault | None:
    """Return the list that the one key of a document holds, None for null."""
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    if [name.value for name, _ in pairs] != [key]:
        return Fault(f"must hold one key, {key!r}, and nothing else", file, _line(root))
    held: yaml.Node = pairs[0][1]
    if isinstance(held, yaml.ScalarNode) and held.style is None and held.value in _NULL:
        return None
    if not isinstance(held, yaml.SequenceNode):
        return Fault("must be a list: begin each item with '- '", file, _line(held), column=key)
    return held


def _root(text: str, file: str) -> yaml.Node | Fault | None:
    try:
        return _compose(text)
    except yaml.YAMLError as error:
        if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
            return Fault(f"not valid YAML: {_described(error)}", file, hint=_SYNTAX_HINT)
        mark = error.problem_mark
        problem = f"not valid YAML: {_described(error)} (column {mark.column + 1})"
        return Fault(problem, file, mark.line + 1, hint=error.note or _SYNTAX_HINT)
    except RecursionError:
        return Fault("nested too deeply", file)


def _count(value: object) -> int:
    return len(value) if isinstance(value, tuple) else 1


def _compose(text: str) -> yaml.Node | None:
    loader = _StrictLoader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _entries(
    mapping: yaml.MappingNode, prefix: str, file: str, above: tuple[int, ...] = ()
) -> Iterator[Entry | Fault]:
    first_lines: dict[str, int] = {}
    for key_node, value_node in mapping.value:
        line = _line(key_node)
        if not isinstance(key_node, yaml.ScalarNode) or "." in key_node.value or not key_node.value.strip():
            problem = "a key must be a plain word; nested keys need lines of their own"
            yield Fault(problem, file, line, column=prefix)
            continue
        key = f"{prefix}.{key_node.value}" if prefix else key_node.value
        if key in first_lines:
            problem = f"is set twice, first in line {first_lines[key]}: keep one of them"
            yield Fault(problem, file, line, column=key)
            continue
        first_lines[key] = line
        yield from _entry(key, value_node, file, (*above, line))


def _entry(key: str, node: yaml.Node, file: str, lines: tuple[int, ...]) -> Iterator[Entry | Fault]:
    *above, line = lines
    if isinstance(node, yaml.MappingNode):
        if not node.value:
            yield Fault("holds no keys: leave it out", file, line, column=key)
        yield from _entries(node, key, file, lines)
        return
    try:
        yield Entry(key, _value(node), file, line, tuple(above))
    except yaml.MarkedYAMLError as error:
        yield Fault(_described(error), file, line, column=key)


def _value(node: yaml.Node | None) -> Value:
    if isinstance(node, yaml.SequenceNode):
        return tuple(_scalar(item) for item in node.value)
    return _scalar(node)


def _scalar(node: yaml.Node | None) -> Scalar:
    if not isinstance(node, yaml.ScalarNode):
        mark = node.start_mark if node else None
        raise yaml.MarkedYAMLError(problem="a list holds single values only", problem_mark=mark)
    is_plain = node.style is None
    text: str = node.value
    return plain_value(text) if is_plain else text


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line
    return line + 1


def _described(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError):
        return " ".join(part for part in (error.context, error.problem) if part)
    return " ".join(str(error).split())  # a character that YAML does not allow, with its position
