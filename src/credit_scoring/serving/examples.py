"""Examples for the API's documentation, decided by the champion itself."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import (
    Application,
    RequestDecoder,
    request_json_schema,
)
from credit_scoring.errors import ArtifactError, InvalidRequestError
from credit_scoring.serving.openapi import Example, Json
from credit_scoring.serving.problems import invalid_request
from credit_scoring.serving.runners import Runner
from credit_scoring.serving.scoring import Stamp, answer_of

# An example is the same whenever it is made.
_STAMP = Stamp("01900000000070008000000000000000", datetime(2024, 6, 9, 12, tzinfo=UTC))


def read_applications(path: Path) -> list[Json]:
    """Read example applications; none if there is no such file."""
    if not path.is_file():
        return []
    return msgspec.json.decode(path.read_bytes(), type=list[dict[str, Any]])


def example_body(contract: Contract) -> Json:
    """Give the contract's own example of an application."""
    examples: list[Json] = request_json_schema(contract)["examples"]
    return examples[0]


def decided_examples(
    runner: Runner, decoder: RequestDecoder, applications: Iterable[Json]
) -> tuple[Example, ...]:
    """Decide on example applications, with reasons.

    Args:
        runner: Decides.
        decoder: Reads the applications.
        applications: Request bodies; those that are not valid under the contract
            are left out, as they were written for another.

    Returns:
        At most one example of each decision, named after it.
    """
    examples: dict[str, Example] = {}
    for request in applications:
        try:
            application = decoder.decode(msgspec.json.encode(request))
        except InvalidRequestError:
            continue
        answer = _decided(runner, application)
        name = answer["decision"]
        examples.setdefault(name, Example(name, request, answer))
    return tuple(examples.values())


def _decided(runner: Runner, application: Application) -> Json:
    (outcome,) = runner.compute([application], explain=True)
    if isinstance(outcome, Exception):
        raise outcome
    answer = answer_of(runner, application, outcome, source="request", stamp=_STAMP)
    decided: Json = msgspec.json.decode(msgspec.json.encode(answer))
    return decided


def invalid_example(decoder: RequestDecoder) -> Json:
    """Give the problem that an application with a wrong id and a stray field gets.

    Raises:
        ArtifactError: If the contract takes such an application.
    """
    try:
        decoder.decode(b'{"loan_id": "not allowed", "unknown_field": 1}')
    except InvalidRequestError as error:
        problem: Json = msgspec.to_builtins(invalid_request(error.errors[:3]))
        return problem
    raise ArtifactError("the contract takes an application without any column")
