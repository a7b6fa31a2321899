"""The table that closes a run."""

from collections.abc import Mapping
from typing import Any

SUMMARISED = frozenset(
    {"validation_summary", "comparison", "promotion_record", "release"}
)


def render_summary(results: Mapping[str, Any], *, seconds: float) -> str:
    """Draw what a run made as one table of plain text."""
    return f"done in {seconds:.1f} s"
