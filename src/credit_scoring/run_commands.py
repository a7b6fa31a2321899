"""Commands that a person can copy: the one that was given, and how to go on."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kedro.pipeline import Pipeline

# Option of `kedro run` -> key of a run's parameters, as Kedro hands them to hooks.
_LISTS = {
    "--pipelines": "pipeline_names",
    "--tags": "tags",
    "--nodes": "node_names",
    "--from-nodes": "from_nodes",
    "--to-nodes": "to_nodes",
    "--from-inputs": "from_inputs",
    "--to-outputs": "to_outputs",
    "--namespaces": "namespaces",
}
_STARTS = ("--nodes", "--from-nodes", "--from-inputs")
_DEFAULT_ENVIRONMENT = "local"
_DEFAULT_RUNNER = "SequentialRunner"


def kedro() -> str:
    """Name the `kedro` of this environment, as it is called from here."""
    beside = Path(sys.executable).parent / "kedro"
    found = shutil.which("kedro")
    if found is not None and Path(found) == beside:
        return "kedro"
    if not beside.exists():
        return f"{shlex.quote(sys.executable)} -m kedro"
    near = beside.is_relative_to(Path.cwd())
    return shlex.quote(os.path.relpath(beside) if near else str(beside))


def run_command(run: Mapping[str, Any], *, start: Iterable[str] = ()) -> str:
    """Write the `kedro run` that a run was, or one that goes on from some nodes.

    Args:
        run: A run's parameters, as Kedro hands them to hooks.
        start: Names of the nodes to go on from; none leaves the start as it was.
    """
    words = [kedro(), "run"]
    environment = run.get("env")
    if environment and environment != _DEFAULT_ENVIRONMENT:
        words.append(f"--env={environment}")
    names = list(start)
    for option, key in _LISTS.items():
        if run.get(key) and not (names and option in _STARTS):
            words.append(shlex.quote(f"{option}={','.join(sorted(run[key]))}"))
    # Kedro gives the name of a class, or an object as text.
    runner = re.search(r"(\w+Runner)\b(?!\.)", str(run.get("runner")))
    if runner and runner[1] != _DEFAULT_RUNNER:
        words.append(f"--runner={runner[1]}")
    parameters = dict(_flat(run.get("runtime_params") or {}))
    if parameters:
        given = ",".join(f"{name}={value}" for name, value in parameters.items())
        words.append(shlex.quote(f"--params={given}"))
    if names:
        words.append(shlex.quote(f"--from-nodes={','.join(names)}"))
    return " ".join(words)


def first_unfinished(pipeline: Pipeline, done: Iterable[str]) -> list[str]:
    """Name the nodes from which all that is not done is reached, and nothing else.

    Args:
        pipeline: What was to run.
        done: Names of the nodes whose outputs are saved.
    """
    finished = set(done)
    open_nodes = [node for node in pipeline.nodes if node.name not in finished]
    to_come = {name for node in open_nodes for name in node.outputs}
    return sorted(node.name for node in open_nodes if not to_come & set(node.inputs))


def _flat(nested: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in nested.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value
