"""Say which pipelines the project has, for the DAGs that are made of them.

usage: python deployment/airflow/describe.py > pipelines.json

Airflow has an environment of its own, without Kedro: it reads this description.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro.framework.startup import bootstrap_project
from kedro.pipeline import Pipeline

PROJECT = Path(__file__).parents[2]


def described(found: Mapping[str, Pipeline], default: tuple[str, ...]) -> Any:
    """Describe pipelines: what each follows, and which a plain run has.

    Args:
        found: Name -> pipeline.
        default: Names of a plain run, in their order.

    Returns:
        ``default``; and ``pipelines``: name -> names of those that make what it
        reads.
    """
    named = {name: one for name, one in found.items() if not name.startswith("__")}
    return {
        "default": list(default),
        "pipelines": {
            name: sorted(
                other
                for other, before in named.items()
                if other != name and before.all_outputs() & _read(one)
            )
            for name, one in sorted(named.items())
        },
    }


def _read(pipeline: Pipeline) -> set[str]:
    return {n for n in pipeline.inputs() if not n.startswith(("params:", "parameters"))}


def main() -> None:
    """Print the description."""
    bootstrap_project(PROJECT)
    from credit_scoring.pipeline_registry import DEFAULT, register_pipelines

    text = json.dumps(described(register_pipelines(), DEFAULT), indent=2)
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
