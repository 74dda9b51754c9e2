import json
from dataclasses import replace

import jsonschema
import pytest

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.model.document import RUN, VERDICT, encode
from tests.document_schemas import FOLDER, document_schema, schema_texts
from tests.factories import award_id, make_policy, make_run, no_link, scaled, with_decisions


def documents():
    lost = {award_id(number): no_link(award_id(number)) for number in range(9)}
    head = scaled(with_decisions(make_run(), lost), "wall_seconds", 1.4)
    yield RUN, make_run()
    yield RUN, head
    yield VERDICT, judge(make_run(), None, make_policy())
    yield VERDICT, judge(head, make_run(), make_policy())


def checked(kind, document):
    jsonschema.Draft202012Validator.check_schema(document_schema(kind))
    jsonschema.Draft202012Validator(document_schema(kind)).validate(document)


@pytest.mark.parametrize("name", schema_texts())
def test_the_published_schema_is_that_of_the_program(name):
    published = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert published == schema_texts()[name], "run 'make golden'"


def test_what_is_written_is_valid():
    found = [
        kind.name for kind, content in documents() if checked(kind, json.loads(encode(kind, content))) is None
    ]
    assert found == ["run", "run", "verdict", "verdict"]


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda document: document["verdict"].update(more=1),
        lambda document: document["verdict"].pop("outcome"),
        lambda document: document["verdict"].update(outcome="fine"),
        lambda document: document.update(format_version=0),
        lambda document: document.update(kind="run"),
    ],
    ids=["an unknown field", "a field is gone", "no such outcome", "another format", "another kind"],
)
def test_anything_else_is_not(spoiled):
    document = json.loads(encode(VERDICT, replace(judge(make_run(), None, make_policy()))))
    spoiled(document)
    with pytest.raises(jsonschema.ValidationError):
        checked(VERDICT, document)
