"""What a workflow step writes for its runner: the job summary, annotations and outputs.

Each is text that the runner parses, so whatever comes from data is escaped: it can end no line and start no
command.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sbir_gate.errors import PublishError
from sbir_gate.files import create_file
from sbir_gate.model.publication import Annotation, AnnotationLevel

MAX_SUMMARY_BYTES = 1024 * 1024
"""Of all summaries of one step; what is longer is not shown at all."""
MAX_ANNOTATIONS = 10
"""Of each kind in one step; the rest is dropped in silence."""

_COMMANDS = {
    AnnotationLevel.FAILURE: "error",
    AnnotationLevel.WARNING: "warning",
    AnnotationLevel.NOTICE: "notice",
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
# what a line may not hold: str.splitlines ends lines at more than CR and LF
_CONTROLS = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")


def append_summary(path: Path, texts: Sequence[str]) -> str:
    """Append the fullest text that there is room for; return it, empty if none fits.

    What other steps wrote stays. Raises PublishError.
    """
    try:
        there = path.stat().st_size if path.exists() else 0
        for text in texts:
            content = f"{text.rstrip()}\n".encode("utf-8", errors="replace")
            if there + len(content) <= MAX_SUMMARY_BYTES:
                _append(path, content)
                return text
    except OSError as error:
        raise _not_written(path, error) from error
    return ""


def render_annotations(annotations: Sequence[Annotation]) -> str:
    """Return the workflow commands that annotate lines of files, at most ten of each kind."""
    return "".join(
        f"{_command(annotation)}\n"
        for level in _COMMANDS
        for annotation in [each for each in annotations if each.level is level][:MAX_ANNOTATIONS]
    )


def append_outputs(path: Path, outputs: Mapping[str, str], new_delimiter: Callable[[], str]) -> None:
    """Append outputs of the step; `new_delimiter` returns what cannot be guessed, and is in no value.

    Raises PublishError.
    """
    lines = []
    for name, value in outputs.items():
        if not _NAME.fullmatch(name):
            raise PublishError(f"an output cannot be named {name[:80]!r}", "use a-z, 0-9 and _")
        delimiter = new_delimiter()
        if delimiter in value:
            raise PublishError(f"the output {name} holds its own delimiter", "run the step again")
        lines.append(f"{name}<<{delimiter}\n{_plain(value)}\n{delimiter}\n")
    try:
        _append(path, "".join(lines).encode("utf-8", errors="replace"))
    except OSError as error:
        raise _not_written(path, error) from error


def _command(annotation: Annotation) -> str:
    facts = {"title": annotation.title}
    if annotation.path:
        facts = {"file": annotation.path, "line": str(max(1, annotation.line)), **facts}
    properties = ",".join(f"{name}={_property(value)}" for name, value in facts.items() if value)
    word = _COMMANDS[annotation.level]
    return f"::{word}{' ' if properties else ''}{properties}::{_data(annotation.message or annotation.title)}"


def _data(text: str) -> str:
    # the percent sign first, or it would be escaped again
    return _plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _plain(text: str) -> str:
    return _CONTROLS.sub(" ", text)


def _append(path: Path, content: bytes) -> None:
    with create_file(path, is_appending=True) as file:
        file.write(content)


def _not_written(path: Path, error: OSError) -> PublishError:
    return PublishError(
        f"{path}: cannot be written ({error.strerror})", "the runner names a file that a step may write to"
    )
