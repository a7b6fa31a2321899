"""The API's document: complete, consistent, and with examples that are true."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from credit_scoring.contract.request import RequestDecoder
from credit_scoring.serving.assembly import Models, describe
from credit_scoring.serving.examples import read_applications
from credit_scoring.serving.openapi import with_infrastructure

Json = dict[str, Any]


@pytest.fixture
def document(models: Models, approved: Json, declined: Json) -> Json:
    stray = {"loan_id": "made under another contract"}
    document = describe(models, [declined, stray, approved], version="abc")
    loaded: Json = json.loads(json.dumps(document, allow_nan=False))
    return loaded


def references(value: Any) -> set[str]:
    return set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(value)))


def test_it_has_the_parts_that_openapi_asks_for(document: Json) -> None:
    assert document["openapi"] == "3.1.0"
    assert document["info"]["version"] == "abc"
    for path in ("/predict", "/predict/batch"):
        operation = document["paths"][path]["post"]
        assert operation["requestBody"]["required"] is True
        assert {"200", "400", "408", "413", "415"} <= set(operation["responses"])
        assert all("description" in r for r in operation["responses"].values())
        named = [(p["in"], p["name"]) for p in operation["parameters"]]
        assert named[:2] == [("query", "reasons"), ("query", "interval")]
        assert (named[2:] == [("header", "Idempotency-Key")]) is (path == "/predict")


def test_each_reference_leads_somewhere(document: Json) -> None:
    known = {
        f"#/components/schemas/{name}" for name in document["components"]["schemas"]
    }
    assert references(document) <= known


def test_operations_have_distinct_identifiers(document: Json) -> None:
    ids = [
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    ]
    assert len(set(ids)) == len(ids)


def test_the_request_is_the_contracts(document: Json) -> None:
    application = document["components"]["schemas"]["Application"]
    assert application["additionalProperties"] is False
    assert set(application["properties"]) == {"loan_id", "amount", "days_late_1", "sex"}


def test_examples_are_decisions_of_the_champion(document: Json) -> None:
    content = document["paths"]["/predict"]["post"]["responses"]["200"]["content"]
    examples = content["application/json"]["examples"]
    assert set(examples) == {"approve", "decline"}
    for name, example in examples.items():
        assert example["value"]["decision"] == name
        assert example["value"]["reasons"]
    assert examples["decline"]["value"]["score"] == 202.6


def test_the_error_example_is_what_the_decoder_says(
    document: Json, decoder: RequestDecoder
) -> None:
    content = document["paths"]["/predict"]["post"]["responses"]["400"]["content"]
    problem = content["application/problem+json"]["examples"]["invalid-request"][
        "value"
    ]
    assert problem["status"] == 400
    assert problem["errors"]


def test_answers_have_the_fields_that_the_document_promises(
    document: Json, approved: Json
) -> None:
    schemas = document["components"]["schemas"]
    asked_for = set(schemas["DecisionAnswer"]["properties"]) - set(
        schemas["DecisionAnswer"]["required"]
    )
    assert asked_for == {"pd_interval"}
    example = document["paths"]["/predict/batch"]["post"]["responses"]["200"]
    rows = example["content"]["application/json"]["examples"]["batch"]["value"]
    for row in rows:
        name = "RowProblem" if "error" in row else "DecisionAnswer"
        assert set(row) == set(schemas[name]["required"])


def test_the_routes_behind_are_described_beside_ours(document: Json) -> None:
    behind = {
        "tags": [{"name": "Service APIs"}, {"name": "Infrastructure"}],
        "paths": {"/readyz": {"get": {"responses": {"200": {"description": "ok"}}}}},
    }
    merged = with_infrastructure(document, behind)
    assert set(merged["paths"]) == {
        "/predict",
        "/predict/batch",
        "/outcomes",
        "/monitoring",
        "/monitoring/report",
        "/what-if",
        "/what-if/approval",
        "/contract",
        "/model",
        "/console",
        "/readyz",
    }
    assert [tag["name"] for tag in merged["tags"]] == [
        "Decisions",
        "Outcomes",
        "Monitoring",
        "Console",
        "Infrastructure",
    ]


def test_a_fault_in_an_example_is_not_hidden(models: Models, breaking: Json) -> None:
    with pytest.raises(ZeroDivisionError):
        describe(models, [breaking], version=None)


def test_the_document_can_be_encoded_at_once(document: Json) -> None:
    assert len(msgspec.json.encode(document)) > 1000


def test_examples_are_read_where_there_are_any(tmp_path: Path) -> None:
    path = tmp_path / "examples.json"
    assert read_applications(path) == []
    path.write_text('[{"loan_id": "1"}]')
    assert read_applications(path) == [{"loan_id": "1"}]
