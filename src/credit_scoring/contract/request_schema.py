"""The request as JSON Schema (draft 2020-12), generated from the contract."""

from typing import Any

from credit_scoring.contract.model import Column, Contract, Role
from credit_scoring.contract.request_type import request_columns
from credit_scoring.contract.rules import (
    allowed_codes,
    code_of_label,
    exempt_values,
    plain,
)

JsonSchema = dict[str, Any]


def request_json_schema(contract: Contract) -> JsonSchema:
    """Describe a request, as `RequestDecoder` decodes it.

    History columns depend on each other in a ring, so that one of them asks for
    all. A key that stands twice, which the decoder refuses, is beyond JSON
    Schema.

    Returns:
        JSON-like dict with title, properties, required and one example.
    """
    columns = request_columns(contract)
    history = contract.names(Role.HISTORY)
    schema: JsonSchema = {
        "title": "Application",
        "description": f"{contract.title}. {_history_note(history)}".strip(),
        "type": "object",
        "properties": {name: property_schema(c) for name, c in columns.items()},
        "required": list(contract.names(Role.ID, Role.APPLICATION)),
        "additionalProperties": False,
        "examples": [request_example(contract)],
    }
    if len(history) > 1:
        ring = zip(history, (*history[1:], history[0]), strict=True)
        schema["dependentRequired"] = {name: [following] for name, following in ring}
    return schema


def request_example(contract: Contract) -> dict[str, float | int | str | None]:
    """Give one application made of the columns' examples, protected ones left out.

    A column without an example that may be missing is missing in it.
    """
    names = contract.names(Role.ID, Role.APPLICATION, Role.HISTORY)
    columns = {name: contract.columns[name] for name in names}
    return {
        name: column.example
        for name, column in columns.items()
        if column.example is not None or column.nullable
    }


def property_schema(column: Column) -> JsonSchema:
    """Describe one column as a JSON Schema."""
    kind = "string" if column.type == "date" else column.type
    schema: JsonSchema = {
        "title": column.source,
        "description": _description(column),
        "type": [kind, "null"] if column.nullable else kind,
        **_constraints(column),
    }
    if column.unit is not None:
        schema["x-unit"] = column.unit
    if column.example is not None:
        schema["examples"] = [column.example]
    return schema


def _constraints(column: Column) -> JsonSchema:
    if column.type == "date":
        return {"format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
    null = [None] if column.nullable else []
    if column.type == "string":
        if column.categories is not None:
            return {"enum": [*code_of_label(column), *null]}
        return {} if column.pattern is None else {"pattern": _anchored(column.pattern)}
    if column.categories is not None:
        return {"enum": [*map(_number, allowed_codes(column)), *null]}
    bounds: JsonSchema = {}
    if column.minimum is not None:
        bounds["minimum"] = _number(column.minimum)
    if column.maximum is not None:
        bounds["maximum"] = _number(column.maximum)
    exempt = exempt_values(column)
    if exempt and bounds:
        return {"anyOf": [bounds, {"enum": [*map(_number, exempt), *null]}]}
    return bounds


def _description(column: Column) -> str:
    parts = [column.description]
    if column.unit is not None:
        parts.append(f"Unit: {column.unit}.")
    if column.categories is not None and column.type != "string":
        meanings = [f"{code} = {text}" for code, text in column.categories.items()]
        parts.append(f"Codes: {'; '.join(meanings)}.")
    if column.recode_reason is not None:
        parts.append(column.recode_reason.strip())
    if column.sentinels:
        missing = ", ".join(plain(value) for value in column.sentinels)
        parts.append(f"Read as missing: {missing}.")
    if column.role is Role.PROTECTED:
        parts.append("Optional, and never used for the decision.")
    return " ".join(parts)


def _history_note(history: tuple[str, ...]) -> str:
    if not history:
        return ""
    return (
        f"The {len(history)} history columns are given all together or not at all; "
        "without them the history is taken from the store by loan_id."
    )


def _anchored(pattern: str) -> str:
    if pattern.startswith("^") and pattern.endswith("$"):
        return pattern
    return f"^(?:{pattern})$"


def _number(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value
