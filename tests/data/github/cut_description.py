"""Cuts description.json from GitHub's OpenAPI description, of the npm package @octokit/openapi (README.md).

    python tests/data/github/cut_description.py package/generated/api.github.com.json

Kept are the operations that sbir-gate asks for, and the schemas that they refer to; examples and prose are
left out. Three things are added. Request bodies that list their fields may have no other: a misspelled
field is noticed instead of ignored. Where null is allowed beside an enum, the enum lists it: JSON schema
wants it so. And the repository of a head may be null, as it is where a fork was deleted.
"""

import json
import sys
from pathlib import Path

TARGET = Path(__file__).parent / "description.json"
OPERATIONS = {
    "/user": ["get"],
    "/repos/{owner}/{repo}/pulls": ["get", "post"],
    "/repos/{owner}/{repo}/pulls/{pull_number}": ["get", "patch"],
    "/repos/{owner}/{repo}/pulls/{pull_number}/files": ["get"],
    "/repos/{owner}/{repo}/issues/{issue_number}/comments": ["get", "post"],
    "/repos/{owner}/{repo}/issues/comments/{comment_id}": ["patch", "delete"],
    "/repos/{owner}/{repo}/commits/{commit_sha}/pulls": ["get"],
    "/repos/{owner}/{repo}/commits/{ref}/check-runs": ["get"],
    "/repos/{owner}/{repo}/check-runs": ["post"],
    "/repos/{owner}/{repo}/check-runs/{check_run_id}": ["patch"],
}
PROSE = {"description", "summary", "example", "examples", "externalDocs", "x-github", "tags", "operationId"}


def without_prose(value, names=False):
    """Return the value without prose; `names` says that its keys are names, not words of OpenAPI."""
    if isinstance(value, dict):
        if value.get("nullable") is True and "enum" in value:
            value = {**value, "enum": [*value["enum"], None]}
        return {
            key: without_prose(part, key in {"properties", "schemas", "parameters", "responses", "headers"})
            for key, part in value.items()
            if names or key not in PROSE
        }
    return [without_prose(part) for part in value] if isinstance(value, list) else value


def references(value):
    """Yield what a value refers to, as (section, name)."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield tuple(value["$ref"].removeprefix("#/components/").split("/", 1))
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def close(schema):
    """Let objects that list their fields have no other; not where variants of them say the rest."""
    if "properties" in schema and not {"oneOf", "anyOf", "allOf"} & {*schema}:
        schema.setdefault("additionalProperties", False)
    for part in [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]:
        close(part)


def main(path):
    """Write the description."""
    whole = json.loads(Path(path).read_text("utf-8"))
    paths = {}
    for place, verbs in OPERATIONS.items():
        paths[place] = {verb: without_prose(whole["paths"][place][verb]) for verb in verbs}
        for verb in verbs:
            paths[place][verb]["responses"] = {
                # a response must have a description
                status: {**answer, "description": ""} if "$ref" not in answer else answer
                for status, answer in paths[place][verb]["responses"].items()
            }
            body = paths[place][verb].get("requestBody", {})
            for content in body.get("content", {}).values():
                close(content.get("schema", {}))
    components, waiting = {}, list(references(paths))
    while waiting:
        section, name = waiting.pop()
        if name in components.setdefault(section, {}):
            continue
        part = without_prose(whole["components"][section][name])
        if section == "responses":
            part["description"] = ""
        components[section][name] = part
        waiting += references(part)
    for schema in ("pull-request", "pull-request-simple"):
        head = components["schemas"][schema]["properties"]["head"]["properties"]
        head["repo"] = {"anyOf": [head["repo"], {"type": "object", "nullable": True, "enum": [None]}]}
    cut = {
        "openapi": whole["openapi"],
        "info": {"title": "GitHub v3 REST API, cut", "version": whole["info"]["version"]},
        "servers": [{"url": "https://api.github.com"}],
        "paths": paths,
        "components": {name: dict(sorted(parts.items())) for name, parts in sorted(components.items())},
    }
    TARGET.write_text(json.dumps(cut, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
