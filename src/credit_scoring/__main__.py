"""`python -m credit_scoring`: runs the project's pipelines, as `kedro run` does."""

import sys
from pathlib import Path

from kedro.framework.cli.project import run
from kedro.framework.project import configure_project

from credit_scoring.startup import prepare


def main() -> None:
    """Run Kedro's `run` command on the project."""
    prepare()
    configure_project(Path(__file__).parent.name)
    run(sys.argv[1:])


if __name__ == "__main__":
    main()
