"""Write docs/schemas, the JSON Schema of Run, verdict and trial: `python -m tests.document_schemas`."""

import json
from pathlib import Path

from sbir_gate.model.adapters import adapter
from sbir_gate.model.award_columns import AwardColumns
from sbir_gate.model.document import FORMAT_VERSION, RUN, VERDICT
from sbir_gate.model.trial import Trial

FOLDER = Path(__file__).parents[1] / "docs" / "schemas"
KINDS = (RUN, VERDICT)


def document_schema(kind):
    """Return the schema of the documents of a kind in the present format, as they are written."""
    content = adapter(kind.type_).json_schema(mode="serialization")
    definitions = content.pop("$defs")
    if kind is RUN:
        # a Run is saved with its awards in columns
        columns = adapter(AwardColumns).json_schema(mode="serialization")
        definitions |= columns.pop("$defs")
        definitions["AwardColumns"] = columns
        content["properties"]["awards"] = {"$ref": "#/$defs/AwardColumns"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"sbir-gate {kind.name}, format {FORMAT_VERSION}",
        "type": "object",
        "additionalProperties": False,
        "required": ["format_version", "kind", kind.name],
        "properties": {
            "format_version": {"const": FORMAT_VERSION},
            "kind": {"const": kind.name},
            kind.name: content,
        },
        "$defs": dict(sorted(definitions.items())),
    }


def trial_schema():
    """Return the schema of what `sbir-gate trial --format json` prints, which is no saved document."""
    content = adapter(Trial).json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **content,
        "title": "sbir-gate trial",
        "$defs": dict(sorted(content["$defs"].items())),
    }


def schema_texts() -> dict[str, str]:
    """Return the content of each file of the folder."""
    schemas = {kind.name: document_schema(kind) for kind in KINDS} | {"trial": trial_schema()}
    return {name: json.dumps(each, indent=1, ensure_ascii=False) + "\n" for name, each in schemas.items()}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in schema_texts().items():
        (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
