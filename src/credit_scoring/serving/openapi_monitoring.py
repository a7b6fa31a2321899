"""The part of the OpenAPI document that describes ``GET /monitoring``."""

from typing import Any

import msgspec

from credit_scoring.serving.problems import no_report

Json = dict[str, Any]

MONITORING_TAG = "Monitoring"
_PROBLEM = {"$ref": "#/components/schemas/Problem"}


def monitoring_operation() -> Json:
    """Describe the state as JSON."""
    return {
        "tags": [MONITORING_TAG],
        "operationId": "monitoring",
        "summary": "See the state of the service and of its models",
        "description": (
            "Of all workers of this server, at most a second old: models, decisions, "
            "the live window against the reference, degradation, and the verdict that "
            "the monitoring run published last."
        ),
        "responses": {
            "200": {
                "description": "The state of now",
                "content": {
                    "application/json": {
                        "schema": {"$ref": "#/components/schemas/MonitoringAnswer"}
                    }
                },
            },
            **_problems(),
        },
    }


def report_operation() -> Json:
    """Describe the report."""
    absent = no_report("no monitoring run has published yet").problem
    return {
        "tags": [MONITORING_TAG],
        "operationId": "monitoring_report",
        "summary": "Read the newest drift report",
        "description": "A page that holds all it needs.",
        "responses": {
            "200": {
                "description": "The report",
                "content": {"text/html": {"schema": {"type": "string"}}},
            },
            "404": _problem("There is none yet", msgspec.to_builtins(absent)),
            "503": {
                **_problem("Too many are reading it; Retry-After says when to ask"),
                "headers": {
                    "Retry-After": {
                        "description": "After so many seconds it is worth asking.",
                        "required": True,
                        "schema": {"type": "integer", "minimum": 0},
                    }
                },
            },
            **_problems(),
        },
    }


def _problems() -> Json:
    return {
        "400": _problem("There is no parameter"),
        "500": _problem("A fault of the service; no request is meant to cause it"),
    }


def _problem(description: str, *problems: Json) -> Json:
    content: Json = {"schema": _PROBLEM}
    if problems:
        content["examples"] = {
            one["type"].rpartition(":")[2]: {"value": one} for one in problems
        }
    return {
        "description": description,
        "content": {"application/problem+json": content},
    }
