"""An earlier champion again: ``python -m credit_scoring.rollback --why "..."``.

The same as ``kedro run --pipelines rollback --params ...``, for a reason of any words:
Kedro splits what follows ``--params`` at commas.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import yaml

from credit_scoring.command_line import command_parser, whole_number


def main(arguments: Sequence[str]) -> int:
    """Run the rollback pipeline.

    Args:
        arguments: Of the command line.

    Returns:
        Kedro's exit code: 0 if there was a rollback, 1 if it was refused.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.why.strip():
        parser.error(
            'a rollback needs a reason, which is recorded: make rollback WHY="..."'
        )
    rollback: dict[str, str | int] = {"why": options.why}
    if options.version is not None:
        rollback["version"] = options.version
    run = {"pipelines": "rollback", "params": {"rollback": rollback}}
    with tempfile.TemporaryDirectory(prefix="credit_scoring-") as place:
        path = Path(place, "run.yml")
        path.write_text(yaml.safe_dump({"run": run}), encoding="utf-8")
        command = [sys.executable, "-m", "kedro", "run", "--config", str(path)]
        if options.env:
            command += ["--env", options.env]
        done = subprocess.run(command, check=False)  # noqa: S603 - no shell
    return done.returncode


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "rollback",
        does="Give an earlier champion its role back, recorded and signed, and pack "
        "it. The exit code is 0 if that was done, 1 if it was refused.",
        example="--why 'declines rose after the release' --version 3",
    )
    parser.add_argument("--why", default="", help="the reason, which is recorded")
    parser.add_argument(
        "--version",
        type=_version,
        help="version of the champion that returns (default: the one before)",
    )
    parser.add_argument(
        "--env", default="", help="environment of conf/ (default: Kedro's, local)"
    )
    return parser


def _version(text: str) -> int | None:
    """Read a version; empty, as make gives it, is none."""
    return whole_number(1)(text) if text else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
