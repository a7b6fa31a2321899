"""``python -m credit_scoring.decision_log FOLDER``: look for changes to a log."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from credit_scoring.command_line import command_parser
from credit_scoring.decision_log.reader import LogReport, verify_log
from credit_scoring.errors import DecisionLogError
from credit_scoring.wording import counted

_INTACT, _CHANGED, _UNREADABLE = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Verify the log in a folder and say what was found.

    Returns:
        0 if nothing was changed, 1 if something was, 2 if it cannot be read.
    """
    folder: Path = _parser().parse_args(arguments).folder
    try:
        report = verify_log(folder)
    except DecisionLogError as error:
        sys.stderr.write(f"{folder}: {error}\n")
        return _UNREADABLE
    sys.stdout.writelines(f"{line}\n" for line in described(report))
    return _CHANGED if report.faults else _INTACT


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "decision_log",
        does="Look for changes to a decision log: name its segments, every fault with "
        "file and line, and the head of its index, which is worth keeping "
        "elsewhere. Nothing is written. The exit code is 0 if nothing was "
        "changed, 1 if something was, 2 if the log cannot be read.",
        example="logs/decisions",
    )
    parser.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="the log: CREDIT_SCORING_DECISION_LOG_DIR, logs/decisions without it",
    )
    return parser


def described(report: LogReport) -> list[str]:
    """Say in lines what a log holds and what is wrong with it."""
    segments = [
        f"{segment.name}  {segment.state:7} {segment.decisions:9} decisions"
        + (f", {segment.shadows} in the shadow" if segment.shadows else "")
        + (f", {counted(segment.outcomes, 'outcome')}" if segment.outcomes else "")
        + (f", {segment.torn_bytes} torn bytes" if segment.torn_bytes else "")
        for segment in report.segments
    ]
    faults = [f"FAULT {fault}" for fault in report.faults]
    summary = (
        counted(report.decisions, "decision")
        + (f" and {report.shadows} in the shadow" if report.shadows else "")
        + (f" and {counted(report.outcomes, 'outcome')}" if report.outcomes else "")
        + f" in {counted(len(report.segments), 'segment')}, "
        f"{counted(len(report.faults), 'fault')}; head of the index {report.head}"
    )
    return [*segments, *faults, summary]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
