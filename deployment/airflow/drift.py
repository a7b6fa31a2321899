"""Tell whether the newest monitoring found drift that nobody has been told of.

usage: python drift.py FOLDER --rest-days 7

FOLDER is monitoring's; CREDIT_SCORING_MONITORING_DIR goes before it, as in monitoring
itself. Exit code 0 if there is such drift, 99 if there is none, 1 if that cannot be
told: then the task fails, as silence would be taken for calm. An alert that new models
do not mend, as of a faulty log or of groups that fare worse, is none. A marker is
touched when drift is told, and for so many days after that it is not told again:
monitoring sees the same drift each hour, and a new model takes time to be judged.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

NOTHING = 99
_FOLDER = "CREDIT_SCORING_MONITORING_DIR"
_ALERT = "alert"
_KNOWN = frozenset({_ALERT, "warn", "ok", "insufficient"})
# The applicants, or what becomes of them, are no longer those of the training.
_OF_THE_POPULATION = frozenset({"score_drift", "feature_drift", "calibration"})
_DAY_SECONDS = 86400.0


def alerts_of(summary: Path) -> frozenset[str]:
    """Give the subjects that monitoring alerted to.

    Args:
        summary: What monitoring published last.

    Raises:
        ValueError: If it says no verdict that is known, or an alert of nothing.
        OSError: If it cannot be read.
    """
    said = json.loads(summary.read_bytes())
    verdict = said.get("verdict") if isinstance(said, dict) else None
    if verdict not in _KNOWN:
        raise ValueError("the monitoring's summary has no verdict that is known")
    if verdict != _ALERT:
        return frozenset()
    found = frozenset(
        str(one.get("subject"))
        for one in said.get("findings") or ()
        if isinstance(one, dict) and one.get("verdict") == _ALERT
    )
    if not found:
        raise ValueError("the monitoring's summary alerts, and does not say to what")
    return found


def was_told(marker: Path, *, rest_days: float, now: float) -> bool:
    """Tell whether drift was told within so many days.

    Args:
        marker: Touched when drift is told.
        rest_days: How long it is not told again.
        now: Seconds since 1970.
    """
    told = marker.stat().st_mtime if marker.exists() else 0.0
    return now - told < rest_days * _DAY_SECONDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Look, and touch the marker; give the exit code."""
    parser = argparse.ArgumentParser(description="Is there drift to be told?")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rest-days", type=float, default=7.0)
    asked = parser.parse_args(arguments)
    folder = Path(os.environ.get(_FOLDER) or asked.folder)
    try:
        alerts = alerts_of(folder / "summary.json")
        drift = sorted(alerts & _OF_THE_POPULATION)
        marker = folder / "drift_told"
        if not drift:
            sys.stdout.write(
                f"no drift; alerts: {', '.join(sorted(alerts)) or 'none'}\n"
            )
            return NOTHING
        if was_told(marker, rest_days=asked.rest_days, now=time.time()):
            sys.stdout.write(f"drift, told before: {', '.join(drift)}\n")
            return NOTHING
        marker.touch()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"the population has drifted: {', '.join(drift)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
