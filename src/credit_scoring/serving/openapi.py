"""The OpenAPI document: our routes from the contract, BentoML's beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from credit_scoring.serving.answers import DecisionAnswer, RowProblem
from credit_scoring.serving.forms import OTHER_TYPES, PARQUET
from credit_scoring.serving.monitoring import MonitoringAnswer
from credit_scoring.serving.openapi_console import (
    ANSWERS,
    CONSOLE_TAG,
    console_paths,
)
from credit_scoring.serving.openapi_monitoring import (
    MONITORING_TAG,
    monitoring_operation,
    report_operation,
)
from credit_scoring.serving.openapi_outcomes import (
    OUTCOME_SCHEMA,
    OUTCOMES_TAG,
    outcomes_operation,
)
from credit_scoring.serving.outcomes import OutcomeRecorded
from credit_scoring.serving.problems import (
    Problem,
    body_too_large,
    decision_not_recorded,
    idempotency_key_reused,
    overloaded,
    unsupported_media_type,
)

Json = dict[str, Any]

TAG = "Decisions"
_REF = "#/components/schemas/{name}"
_PROBLEM_TYPE = "application/problem+json"
_DESCRIPTION = """\
Decides on credit applications: probability of default, score, decision and reasons.

An answer is never about the order, number or company of applications: each one's
decision depends on it alone. Errors are problem details (RFC 9457); `errors` names
each wrong field, never its value."""


@dataclass(frozen=True)
class Example:
    """An application and what the service answers to it.

    Attributes:
        name: Names the example, e.g. ``approve``.
        request: The request's body.
        answer: The answer's body.
    """

    name: str
    request: Json
    answer: Json


@dataclass(frozen=True)
class Described:
    """What the document is made from.

    Attributes:
        application: JSON schema of one application.
        examples: Decisions of the champion on real applications.
        invalid: An example of the problem that an invalid application gets.
        version: Version of the service: the Bento's, or the package's.
    """

    application: Json
    invalid: Json
    version: str
    examples: tuple[Example, ...] = field(default=())


def api_document(described: Described) -> Json:
    """Describe our routes as an OpenAPI 3.1 document."""
    _, components = msgspec.json.schema_components(
        [
            DecisionAnswer,
            RowProblem,
            Problem,
            OutcomeRecorded,
            MonitoringAnswer,
            *ANSWERS,
        ],
        ref_template=_REF,
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "credit_scoring",
            "description": _DESCRIPTION,
            "version": described.version,
        },
        "servers": [{"url": "."}],
        "tags": [
            {"name": TAG, "description": "Decisions on applications."},
            {"name": OUTCOMES_TAG, "description": "What became of loans."},
            {"name": MONITORING_TAG, "description": "How decisions develop."},
            {"name": CONSOLE_TAG, "description": "What people look at and try."},
        ],
        "paths": {
            "/predict": {"post": _predict(described)},
            "/predict/batch": {"post": _predict_batch(described)},
            "/outcomes": {"post": outcomes_operation()},
            "/monitoring": {"get": monitoring_operation()},
            "/monitoring/report": {"get": report_operation()},
            **console_paths(_application(described), _problems(described.invalid)),
        },
        "components": {
            "schemas": {
                "Application": described.application,
                "Outcome": OUTCOME_SCHEMA,
                **components,
            }
        },
    }


def with_infrastructure(document: Json, bentoml_document: Json) -> Json:
    """Add the routes that BentoML itself answers (health, metrics).

    Args:
        document: Ours.
        bentoml_document: As BentoML generates it for a service without API methods.
    """
    tags = [
        tag
        for tag in bentoml_document.get("tags", [])
        if tag["name"] == "Infrastructure"
    ]
    paths = bentoml_document["paths"]
    return {
        **document,
        "tags": [*document["tags"], *tags],
        "paths": {**document["paths"], **paths},
    }


def _predict(described: Described) -> Json:
    return {
        "tags": [TAG],
        "operationId": "predict",
        "summary": "Decide on one application",
        "description": (
            "Without the columns of the statement history the application is "
            "referred to a person, and `feature_source` says `degraded`."
        ),
        "parameters": [*_query_parameters(), _idempotency_key()],
        "requestBody": _application(described),
        "responses": {
            "200": _ok(
                _reference("DecisionAnswer"),
                {e.name: {"value": e.answer} for e in described.examples},
            ),
            **_problems(described.invalid),
            "409": _problem(
                "The Idempotency-Key was sent with another request",
                msgspec.to_builtins(idempotency_key_reused().problem),
            ),
        },
    }


def _application(described: Described) -> Json:
    requests = {e.name: {"value": e.request} for e in described.examples}
    return _body(_reference("Application"), requests)


def _predict_batch(described: Described) -> Json:
    row = {"oneOf": [_reference("DecisionAnswer"), _reference("RowProblem")]}
    requests = [e.request for e in described.examples]
    answers = [*(e.answer for e in described.examples), {"error": described.invalid}]
    return {
        "tags": [TAG],
        "operationId": "predict_batch",
        "summary": "Decide on many applications",
        "description": (
            "The answer has one entry for each application, in the same order: its "
            'decision, or `{"error": problem}` if it is invalid, which harms no '
            "other. It has the form of the request: a JSON array, an object on each "
            "line, or a table, with an `error` column."
        ),
        "parameters": _query_parameters(),
        "requestBody": _in_other_forms(
            _body(
                {"type": "array", "minItems": 1, "items": _batch_item()},
                {"batch": {"value": requests}} if requests else {},
            )
        ),
        "responses": {
            "200": _in_other_forms(
                _ok({"type": "array", "items": row}, {"batch": {"value": answers}})
            ),
            **_problems(described.invalid),
        },
    }


def _in_other_forms(described: Json) -> Json:
    """Add the forms of a batch that JSON Schema cannot describe row by row."""
    text: Json = {"type": "string", "minLength": 1}
    other = {
        kind.decode(): {
            "schema": text if kind != PARQUET else {**text, "format": "binary"}
        }
        for kind in OTHER_TYPES
    }
    return {**described, "content": {**described["content"], **other}}


def _batch_item() -> Json:
    """Describe what a batch takes: what is no application harms no other."""
    refused = "Anything else is answered by a problem in its place."
    return {"anyOf": [_reference("Application"), {"description": refused}]}


def _query_parameters() -> list[Json]:
    said = {
        "reasons": "`true` gives the reasons of an approval, too.",
        "interval": "`true` gives the interval of the PD, as `pd_interval`.",
    }
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": description,
            "schema": {"type": "string", "enum": ["true"]},
        }
        for name, description in said.items()
    ]


def _idempotency_key() -> Json:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": (
            "A retry with the same key and body gets the same answer and is not "
            "decided again; `idempotency-replayed: true` says so."
        ),
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    }


def _body(schema: Json, examples: Mapping[str, Json]) -> Json:
    return {"required": True, "content": _content("application/json", schema, examples)}


def _ok(schema: Json, examples: Mapping[str, Json]) -> Json:
    return {
        "description": "Decided",
        "content": _content("application/json", schema, examples),
    }


def _problems(invalid: Json) -> Json:
    too_large = body_too_large(65536).problem
    not_json = unsupported_media_type(
        "the content type must be application/json, in UTF-8", (b"accept", b"")
    ).problem
    return {
        "400": _problem("The request breaks the contract", invalid),
        "408": _problem("The body came too slowly"),
        "413": _problem("The body is too large", msgspec.to_builtins(too_large)),
        "415": _problem("Not JSON in UTF-8", msgspec.to_builtins(not_json)),
        "500": _problem("A fault of the service; no request is meant to cause it"),
        "503": {
            **_problem(
                "Too much to do, or the decision could not be recorded; Retry-After "
                "says when to ask again",
                msgspec.to_builtins(overloaded().problem),
                msgspec.to_builtins(decision_not_recorded().problem),
            ),
            "headers": {"Retry-After": _retry_after()},
        },
    }


def _retry_after() -> Json:
    return {
        "description": "So many seconds later it is worth asking again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    }


def _problem(description: str, *problems: Json) -> Json:
    examples = {_kind(one): {"value": one} for one in problems}
    return {
        "description": description,
        "content": _content(_PROBLEM_TYPE, _reference("Problem"), examples),
    }


def _kind(problem: Json) -> str:
    """Name a problem by the tail of its type."""
    kind: str = problem["type"].rpartition(":")[2]
    return kind


def _content(media_type: str, schema: Json, examples: Mapping[str, Json]) -> Json:
    content: Json = {"schema": schema}
    if examples:
        content["examples"] = dict(examples)
    return {media_type: content}


def _reference(name: str) -> Json:
    return {"$ref": _REF.format(name=name)}
