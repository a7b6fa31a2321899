"""``python -m credit_scoring.routing_state``: see, clear or set an override by hand."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from credit_scoring.command_line import command_parser
from credit_scoring.environment import variable
from credit_scoring.errors import RoutingStateError
from credit_scoring.registry.records import actor
from credit_scoring.routing_state.state import (
    Kind,
    change_state,
    read_history,
    read_state,
)

DEFAULT_FOLDER = "logs/routing"


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Show the state, or change it where a reason is given.

    Args:
        arguments: Of the command line.
        environment: Names the folder.

    Returns:
        0; 1 if it cannot be changed.
    """
    options = _parser().parse_args(arguments)
    folder = Path(environment.get(variable("routing_dir")) or DEFAULT_FOLDER)
    if options.why.strip():
        kind: Kind = "override" if options.to == "champion" else "cleared"
        try:
            change_state(folder, kind, why=options.why, who=actor())
        except RoutingStateError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    state = read_state(folder)
    sys.stdout.write(_shown(folder))
    sys.stdout.write(
        "The champion decides on everybody.\n"
        if state.overridden
        else "The routing is as CREDIT_SCORING_ROUTING says.\n"
    )
    return 0


def _shown(folder: Path) -> str:
    try:
        entries = read_history(folder)
    except RoutingStateError as error:
        return f"{error}\n"
    return "".join(
        f"{one['at']}  {one['kind']:<8}  by {one['who'] or 'nobody'}: {one['why']}\n"
        for one in entries
    )


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "routing_state",
        does="Show whether the champion decides on everybody by order, and who said "
        "so; with a reason, order it or let the configured routing hold again. "
        "Running workers follow within a second. The folder is "
        f"CREDIT_SCORING_ROUTING_DIR, {DEFAULT_FOLDER} without it. The exit code "
        "is 1 if nothing could be changed.",
        example="--why 'the challenger was mended'",
    )
    parser.add_argument(
        "--why",
        default="",
        help="the reason, which is recorded; without one nothing is changed",
    )
    parser.add_argument(
        "--to",
        default="configured",
        choices=["configured", "champion"],
        help="what is to hold: the configured routing, or the champion for everybody"
        " (default: configured)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
