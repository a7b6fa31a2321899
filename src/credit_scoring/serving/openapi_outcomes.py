"""The part of the OpenAPI document that describes ``POST /outcomes``."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from credit_scoring.errors import FieldError
from credit_scoring.outcomes.rows import DECISION_ID, FIELDS, LOAN_ID
from credit_scoring.serving.problems import (
    Problem,
    body_too_large,
    invalid_request,
    outcome_not_recorded,
    overloaded,
    unsupported_media_type,
)

Json = dict[str, Any]

OUTCOMES_TAG = "Outcomes"
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_OUTCOME = {"$ref": "#/components/schemas/Outcome"}
_RECORDED = {"$ref": "#/components/schemas/OutcomeRecorded"}
_ROW = {"oneOf": [_RECORDED, {"$ref": "#/components/schemas/RowProblem"}]}
_NDJSON = "application/x-ndjson"

OUTCOME_SCHEMA: Json = {
    "type": "object",
    "title": "Outcome",
    "description": "`loan_id` or `decision_id` is needed; both must fit if both are.",
    "properties": {
        "loan_id": {
            "type": ["string", "null"],
            "pattern": LOAN_ID,
            "description": "The loan: its outcome counts for all decisions on it.",
        },
        "decision_id": {
            "type": ["string", "null"],
            "pattern": DECISION_ID,
            "description": "The decision, as it was answered.",
        },
        "bad": {
            "type": "integer",
            "enum": [0, 1],
            "description": "1 if the loan had gone bad by then.",
        },
        "observed_at": {
            "type": "string",
            "anyOf": [{"format": "date"}, {"format": "date-time"}],
            "description": (
                "Until when the loan was looked at: a time with its zone, or a day, "
                "which is its end in UTC. It counts once that moment has come."
            ),
        },
    },
    "required": [FIELDS[2], FIELDS[3]],
    "anyOf": [
        {"required": [name], "properties": {name: {"type": "string"}}}
        for name in ("loan_id", "decision_id")
    ],
    "additionalProperties": False,
    "examples": [{"loan_id": "L-1", "bad": 0, "observed_at": "2026-03-31"}],
}


def outcomes_operation() -> Json:
    """Describe the operation."""
    one = OUTCOME_SCHEMA["examples"][0]
    anything = {
        "anyOf": [
            _OUTCOME,
            {"description": "Anything else is answered by a problem in its place."},
        ]
    }
    return {
        "tags": [OUTCOMES_TAG],
        "operationId": "report_outcomes",
        "summary": "Report what became of loans",
        "description": (
            "One outcome, an array, or one on each line. They are on the disk before "
            "they are answered; whether they fit a decision is seen when they are "
            "joined. A wrong row of many has its error in its place and harms no other."
        ),
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "oneOf": [
                            _OUTCOME,
                            {"type": "array", "minItems": 1, "items": anything},
                        ]
                    },
                    "examples": {"one": {"value": one}, "several": {"value": [one]}},
                },
                _NDJSON: {"schema": {"type": "string"}},
            },
        },
        "responses": {"200": _recorded(), **_problems()},
    }


def _recorded() -> Json:
    moment = datetime(2026, 4, 1, 9, 30, tzinfo=UTC).isoformat()
    answer = {"recorded": True, "received_at": moment.replace("+00:00", "Z")}
    schema = {"oneOf": [_RECORDED, {"type": "array", "items": _ROW}]}
    examples = {"one": {"value": answer}, "several": {"value": [answer]}}
    return {
        "description": "Recorded",
        "content": {
            "application/json": {"schema": schema, "examples": examples},
            _NDJSON: {"schema": {"type": "string"}},
        },
    }


def _problems() -> Json:
    wrong = invalid_request([FieldError("bad", "expected 0 or 1")])
    media = unsupported_media_type(
        f"the content type must be application/json or {_NDJSON}, in UTF-8",
        (b"accept", b""),
    )
    refused = {
        "400": _problem("A field is not as it must be", wrong),
        "408": _problem("The body came too slowly"),
        "413": _problem("The body is too large", body_too_large(65536).problem),
        "415": _problem("Neither JSON nor lines of it", media.problem),
        "500": _problem("A fault of the service; no request is meant to cause it"),
    }
    late = _problem(
        "Too much to do, or the outcomes could not be recorded; Retry-After says when "
        "to send them again",
        overloaded().problem,
        outcome_not_recorded().problem,
    )
    late["headers"] = {
        "Retry-After": {
            "description": "So many seconds later it is worth asking again.",
            "required": True,
            "schema": {"type": "integer", "minimum": 0},
        }
    }
    return {**refused, "503": late}


def _problem(description: str, *problems: Problem) -> Json:
    content: Json = {"schema": _PROBLEM}
    if problems:
        content["examples"] = {
            one.type.rpartition(":")[2]: {"value": msgspec.to_builtins(one)}
            for one in problems
        }
    return {
        "description": description,
        "content": {"application/problem+json": content},
    }
