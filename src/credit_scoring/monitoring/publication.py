"""What a monitoring run publishes to the service: one small file and a report.

The run replaces the summary as a whole, last of all it writes; the service reads it
and believes nothing of a file that is not as it must be.
"""

import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Verdict = Literal["ok", "warn", "alert", "insufficient"]
VERDICTS: tuple[Verdict, ...] = ("ok", "warn", "alert", "insufficient")
# From the best to the worst; what could not be judged is worse than what is well.
_ORDER: Mapping[str, int] = {"ok": 0, "insufficient": 1, "warn": 2, "alert": 3}

SUMMARY = "summary.json"
REPORTS = "reports"
REPORT_NAME = r"[0-9A-Za-z_.-]{1,100}\.html"
FORMAT = 1
_MOST_SUMMARY_BYTES = 4 * 1024**2
_MOST_REPORT_BYTES = 64 * 1024**2


class Finding(msgspec.Struct, frozen=True):
    """One thing that was found; none of them is about a single applicant."""

    subject: Annotated[str, Meta(description="What it is about, e.g. `score_drift`.")]
    verdict: Verdict
    message: str
    value: float | None = None


class Summary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest monitored window, and how the run went."""

    format: Annotated[int, Meta(ge=FORMAT, le=FORMAT)]
    verdict: Verdict
    computed_at: Annotated[datetime, Meta(tz=True)]
    last_success_at: Annotated[
        Annotated[datetime, Meta(tz=True)] | None,
        Meta(description="When a run last computed every window that was due."),
    ]
    window_since: Annotated[datetime, Meta(tz=True)] | None
    window_until: Annotated[datetime, Meta(tz=True)] | None
    decisions: int
    findings: list[Finding]
    figures: dict[str, float | None]
    report: Annotated[str, Meta(pattern=f"^{REPORT_NAME}$")] | None
    mlflow_run_id: str | None = None


class UnreadableSummaryError(Exception):
    """There is a summary that is not as it must be, or none at all."""


def worst(verdicts: list[Verdict]) -> Verdict:
    """Give the worst verdict; of none: insufficient, as nothing was judged."""
    return max(verdicts, key=lambda verdict: _ORDER[verdict], default="insufficient")


def read_summary(folder: Path) -> Summary:
    """Read what was published last.

    Raises:
        UnreadableSummaryError: In words that may be shown; no path is in them.
    """
    path = folder / SUMMARY
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_SUMMARY_BYTES + 1)
    except FileNotFoundError:
        raise UnreadableSummaryError("no monitoring run has published yet") from None
    except OSError as error:
        raise UnreadableSummaryError(
            f"the published summary cannot be read: {error.strerror}"
        ) from None
    if len(content) > _MOST_SUMMARY_BYTES:
        raise UnreadableSummaryError("the published summary is too large to be one")
    try:
        return msgspec.json.decode(content, type=Summary)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadableSummaryError(
            "the published summary is not as a monitoring run writes it"
        ) from None


def read_report(folder: Path, name: str) -> bytes | None:
    """Read a report that the summary names; None if it is not there.

    Args:
        folder: Where the runs publish.
        name: As the summary says; never a path.
    """
    if not re.fullmatch(REPORT_NAME, name):
        return None
    try:
        with (folder / REPORTS / name).open("rb") as file:
            content = file.read(_MOST_REPORT_BYTES + 1)
    except OSError:
        return None
    return content if 0 < len(content) <= _MOST_REPORT_BYTES else None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that whoever reads it finds the old one or the new one.

    Raises:
        OSError: If it cannot be written; then the old one is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_summary(folder: Path, summary: Summary) -> None:
    """Publish a summary, whose report must be there already.

    Raises:
        OSError: If it cannot be written.
    """
    content = msgspec.json.format(msgspec.json.encode(summary), indent=2)
    write_whole(folder / SUMMARY, content + b"\n")
