"""Tell whether the newest monitoring found drift that nobody has been told of.

usage: python drift.py SUMMARY MARKER --rest-days 7

Exit code 0 if there is such drift, 99 if there is none, 1 if that cannot be told: then
the task fails, as silence would be taken for calm. The marker is touched when drift is
told, and for so many days after that it is not told again: monitoring sees the same
drift each hour, and a new model takes time to be judged.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

NOTHING = 99
_ALERT = "alert"
_KNOWN = frozenset({_ALERT, "warn", "ok", "insufficient"})
_DAY_SECONDS = 86400.0


def is_news(summary: Path, marker: Path, *, rest_days: float, now: float) -> bool:
    """Tell whether there is drift to be told.

    Args:
        summary: What monitoring published last; its `verdict` is looked at.
        marker: Touched when drift is told.
        rest_days: How long it is not told again.
        now: Seconds since 1970.

    Raises:
        ValueError: If the summary says no verdict that is known.
        OSError: If it cannot be read.
    """
    said = json.loads(summary.read_bytes())
    verdict = said.get("verdict") if isinstance(said, dict) else None
    if verdict not in _KNOWN:
        raise ValueError("the monitoring's summary has no verdict that is known")
    if verdict != _ALERT:
        return False
    told = marker.stat().st_mtime if marker.exists() else 0.0
    return now - told >= rest_days * _DAY_SECONDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Look, and touch the marker; give the exit code."""
    parser = argparse.ArgumentParser(description="Is there drift to be told?")
    parser.add_argument("summary", type=Path)
    parser.add_argument("marker", type=Path)
    parser.add_argument("--rest-days", type=float, default=7.0)
    asked = parser.parse_args(arguments)
    try:
        news = is_news(
            asked.summary, asked.marker, rest_days=asked.rest_days, now=time.time()
        )
        if not news:
            return NOTHING
        asked.marker.touch()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("the population has drifted\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
