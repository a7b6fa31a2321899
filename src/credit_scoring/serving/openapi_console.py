"""The OpenAPI description of the routes where people look."""

from collections.abc import Mapping
from typing import Any

from credit_scoring.serving.console_page import CONSOLE_PATH
from credit_scoring.serving.published_answers import (
    CONTRACT_PATH,
    MODEL_PATH,
    ContractAnswer,
    ModelsAnswer,
)
from credit_scoring.serving.what_if import (
    APPROVAL_PATH,
    WHAT_IF_PATH,
    ApprovalAnswer,
    WhatIfAnswer,
)

Json = dict[str, Any]

CONSOLE_TAG = "Console"
ANSWERS = (WhatIfAnswer, ApprovalAnswer, ContractAnswer, ModelsAnswer)


def console_paths(body: Json, problems: Mapping[str, Json]) -> Json:
    """Describe the routes.

    Args:
        body: How an application is sent.
        problems: Status -> response, of a route that takes an application.
    """
    # A try is never recorded, so that it cannot fail to be; it may be one too many.
    return {
        WHAT_IF_PATH: {
            "post": _tried(
                "what_if",
                "Try an application without deciding",
                "What the champion would decide, and every factor in points. Nothing "
                "is recorded, counted as a decision, or written to a store.",
                ("WhatIfAnswer", body, problems),
            )
        },
        APPROVAL_PATH: {
            "post": _tried(
                "what_if_approval",
                "Search what it would take to be approved",
                "The least changes within what the contract says applicants can "
                "change, each tried on the champion. Nothing is recorded.",
                ("ApprovalAnswer", body, problems),
            )
        },
        CONTRACT_PATH: {
            "get": _said("contract", "What an application is", "ContractAnswer")
        },
        MODEL_PATH: {
            "get": _said("model", "The models, their cards, the policy", "ModelsAnswer")
        },
        CONSOLE_PATH: {
            "get": {
                "tags": [CONSOLE_TAG],
                "operationId": "console",
                "summary": "The page where a person looks",
                "responses": {
                    "200": {
                        "description": "The page",
                        "content": {"text/html": {"schema": {"type": "string"}}},
                    }
                },
            }
        },
    }


def _tried(
    name: str, summary: str, description: str, of: tuple[str, Json, Mapping[str, Json]]
) -> Json:
    answer, body, problems = of
    return {
        "tags": [CONSOLE_TAG],
        "operationId": name,
        "summary": summary,
        "description": description,
        "requestBody": body,
        "responses": {"200": _ok(answer), **problems},
    }


def _said(name: str, summary: str, answer: str) -> Json:
    return {
        "tags": [CONSOLE_TAG],
        "operationId": name,
        "summary": summary,
        "responses": {"200": _ok(answer)},
    }


def _ok(answer: str) -> Json:
    schema = {"$ref": f"#/components/schemas/{answer}"}
    return {
        "description": "Answered",
        "content": {"application/json": {"schema": schema}},
    }
