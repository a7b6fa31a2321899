"""Our routes as BentoML's clients read them."""

import json
from typing import Any

import pytest

from credit_scoring.serving.assembly import Models, describe
from credit_scoring.serving.client_routes import client_routes

Json = dict[str, Any]


@pytest.fixture
def routes(models: Models, approved: Json) -> dict[str, Json]:
    """Name of the method -> its route."""
    document = describe(models, [approved], version="abc")
    return {route["name"]: route for route in client_routes(document)}


def test_each_route_that_takes_json_has_a_method(routes: dict[str, Json]) -> None:
    assert {name: route["route"] for name, route in routes.items()} == {
        "predict": "/predict",
        "predict_batch": "/predict/batch",
        "report_outcomes": "/outcomes",
        "what_if": "/what-if",
        "what_if_approval": "/what-if/approval",
    }
    assert routes["predict"]["doc"] == "Decide on one application"


def test_the_fields_of_an_object_are_arguments(
    routes: dict[str, Json], approved: Json
) -> None:
    described = routes["predict"]["input"]
    assert set(approved) <= set(described["properties"])
    assert "loan_id" in described["required"]
    assert "root_input" not in described
    assert "pd" in routes["predict"]["output"]["properties"]


@pytest.mark.parametrize("name", ["predict_batch", "report_outcomes"])
def test_anything_else_is_the_one_argument(routes: dict[str, Json], name: str) -> None:
    assert routes[name]["input"]["root_input"] is True


def test_it_is_plain_json(routes: dict[str, Json]) -> None:
    assert json.loads(json.dumps(routes, allow_nan=False)) == routes


def test_what_sends_no_json_has_no_method() -> None:
    get = {"get": {"responses": {}}}
    csv = {"post": {"requestBody": {"content": {"text/csv": {}}}, "responses": {}}}
    nothing = {"post": {"responses": {}}}
    assert client_routes({"paths": {"/a": get, "/b": csv, "/c": nothing}}) == []


def test_an_answer_that_is_no_json_is_not_described() -> None:
    body = {"content": {"application/json": {"schema": {"type": "array"}}}}
    operation = {
        "operationId": "told",
        "summary": "Told",
        "requestBody": body,
        "responses": {"204": {"description": "Nothing"}},
    }
    (route,) = client_routes({"paths": {"/told": {"post": operation}}})
    assert route["output"] == {}
