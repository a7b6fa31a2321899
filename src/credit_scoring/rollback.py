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


def main(arguments: Sequence[str]) -> int:
    """Run the rollback pipeline.

    Args:
        arguments: Of the command line.

    Returns:
        Kedro's exit code.
    """
    options = _parser().parse_args(arguments)
    rollback: dict[str, str | int] = {"why": options.why}
    if options.version:
        rollback["version"] = int(options.version)
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
    parser = argparse.ArgumentParser(
        prog="rollback",
        description="Give an earlier champion its role back, recorded and signed.",
    )
    parser.add_argument("--why", default="", help="the reason, which is recorded")
    parser.add_argument(
        "--version", default="", help="the champion that returns; without it, the last"
    )
    parser.add_argument("--env", default="", help="Kedro environment")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
