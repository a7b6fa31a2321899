"""The history of looks: one entry for each time that the data were new."""

from collections.abc import Mapping, Sequence
from typing import Any

Look = dict[str, Any]
_PAIR = ("champion", "challenger", "design")


def add_look(past: Sequence[Mapping[str, Any]], look: Look) -> list[Look]:
    """Append a look, unless the last one on these models saw the same data.

    Args:
        past: All looks so far, the oldest first, of whatever models.
        look: With ``champion``, ``challenger``, ``design`` and ``data``.
    """
    looks = [dict(one) for one in past]
    same = looks_of(looks, look)
    if same and same[-1]["data"] == look["data"]:
        return looks
    return [*looks, look]


def looks_of(past: Sequence[Look], look: Mapping[str, Any]) -> list[Look]:
    """Take the looks on the same models in the same design."""
    return [one for one in past if all(one[key] == look[key] for key in _PAIR)]
