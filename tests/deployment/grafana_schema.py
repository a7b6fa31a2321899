"""What of a dashboard is not in Grafana's published schema.

The schema is that of Grafana's own SDK, whose models are generated from it: a
dashboard is read into them and written again. What they do not know is lost on the
way; what has another type stands in a field of theirs.
"""

import json
import types
import typing
from collections.abc import Iterator
from enum import Enum
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard


def schema_faults(dashboard: dict[str, Any]) -> list[str]:
    """Name each key that is unknown, and each value of another type."""
    register_default_plugins()
    model = Dashboard.from_json(dashboard)
    kept = json.loads(JSONEncoder().encode(model))
    lost = unknown(dashboard, kept, "dashboard")
    return [*lost, *mistyped(model, Dashboard, "dashboard")]


def unknown(found: Any, kept: Any, where: str) -> Iterator[str]:
    if isinstance(found, dict) and isinstance(kept, dict):
        for key, value in found.items():
            if key in kept:
                yield from unknown(value, kept[key], f"{where}.{key}")
            else:
                yield f"{where}.{key} is unknown"
    elif isinstance(found, list) and isinstance(kept, list):
        for number, (one, other) in enumerate(zip(found, kept, strict=True)):
            yield from unknown(one, other, f"{where}[{number}]")
    elif found != kept:
        yield f"{where} is changed"


def mistyped(value: Any, expected: Any, where: str) -> Iterator[str]:
    origin, inside = typing.get_origin(expected), typing.get_args(expected)
    if origin in (typing.Union, types.UnionType):
        # The nearest of the types allowed says what is wrong.
        yield from min((list(mistyped(value, t, where)) for t in inside), key=len)
    elif origin is typing.Literal:
        if value not in inside:
            yield f"{where} is not one of {inside}"
    elif origin is list and isinstance(value, list):
        for number, one in enumerate(value):
            yield from mistyped(one, inside[0], f"{where}[{number}]")
    elif not is_one(value, origin or expected):
        yield f"{where} is no {getattr(origin or expected, '__name__', expected)}"
    elif type(value).__module__.startswith("grafana_foundation_sdk.models"):
        hints = typing.get_type_hints(type(value))
        for name in hints.keys() & vars(value).keys():
            yield from mistyped(vars(value)[name], hints[name], f"{where}.{name}")


def is_one(value: Any, expected: Any) -> bool:
    if not isinstance(expected, type):
        return True
    if issubclass(expected, Enum):
        return value in [one.value for one in expected]
    return isinstance(value, (int, float) if expected is float else expected)
