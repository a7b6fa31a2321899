"""A promotion record as a page that a person reads and prints."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

_TEMPLATE = "promotion_record.html"
_NONE = "none"


def record_page(record: Mapping[str, Any]) -> str:
    """Draw a record: who has which role, why, every gate, and the evidence.

    Args:
        record: As `write_record` gives it.

    Returns:
        A page of HTML that loads nothing from elsewhere.
    """
    environment = Environment(
        loader=PackageLoader("credit_scoring.registry"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template(_TEMPLATE)
    return template.render(
        record=record, holder=_holder, figure=_figure, interval=_interval
    )


def _holder(holder: Mapping[str, Any] | None) -> str:
    if holder is None:
        return _NONE
    return f"version {holder['version']}, {holder['family']}"


def _figure(figure: float | None) -> str:
    return "not measured" if figure is None else f"{figure:.4g}"


def _interval(gate: Mapping[str, Any]) -> str:
    low, high = gate.get("low"), gate.get("high")
    if low is None and high is None:
        return ""
    return f"{_bound(low)} to {_bound(high)}"


def _bound(bound: float | None) -> str:
    return "open" if bound is None else f"{bound:.4g}"
