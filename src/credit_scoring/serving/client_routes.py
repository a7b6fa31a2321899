"""What BentoML's own clients ask a service for: its routes as methods."""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_JSON = "application/json"


def client_routes(document: Json) -> list[Json]:
    """Describe the routes that take JSON, as BentoML describes its API methods.

    Its clients read ``/schema.json`` and get a method for each route, named by the
    operation: the fields of an object are its keyword arguments, anything else is its
    one argument.

    Args:
        document: Our OpenAPI document.
    """
    components = document.get("components", {}).get("schemas", {})
    return [
        {
            "name": operation["operationId"],
            "route": path,
            "doc": operation["summary"],
            "batchable": False,
            "input": _input(
                _resolved(_json_schema(operation["requestBody"]), components)
            ),
            "output": _output(operation, components),
            "is_task": False,
        }
        for path, operation in _posts(document)
    ]


def _posts(document: Json) -> Iterator[tuple[str, Json]]:
    """Give path and operation where JSON is sent; the clients know no other verb."""
    for path, operations in document["paths"].items():
        operation = operations.get("post", {})
        if _JSON in operation.get("requestBody", {}).get("content", {}):
            yield path, operation


def _json_schema(described: Json) -> Json:
    schema: Json = described["content"][_JSON]["schema"]
    return schema


def _input(schema: Json) -> Json:
    if "properties" in schema:
        return schema
    return {**schema, "root_input": True}


def _output(operation: Json, components: Json) -> Json:
    answers = operation["responses"].values()
    answered = next((a for a in answers if _JSON in a.get("content", {})), None)
    return {} if answered is None else _resolved(_json_schema(answered), components)


def _resolved(schema: Json, components: Json) -> Json:
    """Follow a reference; what lies inside is the document's alone."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Json = components[name] if name else schema
    return found
