"""`python -m credit_scoring`: runs the project's pipelines, as `kedro run` does."""

import copy
import sys
from pathlib import Path

from kedro.framework.cli.project import run
from kedro.framework.project import configure_project

from credit_scoring.startup import prepare

_DOES = """\
Run the project's pipelines: those of the default run, or those that are named.

Each node is told as it runs, and a table at the end says what came out. What a run
reads and makes is in docs/reference/pipelines.md. The exit code is 0 if all of it
was done."""
# The mark keeps click from joining the lines.
_EXAMPLES = """\b
Examples:
  python -m credit_scoring
  python -m credit_scoring --pipelines monitoring
  python -m credit_scoring --pipelines batch_scoring --params input=in.csv,output=out"""


def main() -> None:
    """Run Kedro's `run` command on the project."""
    prepare()
    configure_project(Path(__file__).parent.name)
    command = copy.copy(run)
    command.help, command.epilog = _DOES, _EXAMPLES
    command(sys.argv[1:])


if __name__ == "__main__":
    main()
