"""What a run reads from files is looked at before the first node runs."""

import copy
import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro.config import AbstractConfigLoader
from kedro.pipeline import Pipeline

from credit_scoring import pipelines
from credit_scoring.errors import RunError
from credit_scoring.pipeline_registry import DEFAULT
from credit_scoring.run_commands import run_command
from credit_scoring.run_marks import UnfinishedMarks

_SHOWN = 8
_RAW = "01_raw"


def require_known_parameters(
    loader: AbstractConfigLoader, given: Mapping[str, Any] | None
) -> None:
    """See that parameters of the command change some that are there.

    Args:
        loader: The project's, of the run's environment.
        given: What `--params` says, by group.

    Raises:
        RunError: If no file of conf/ has such a group: nothing would read it.
    """
    if not given:
        return
    of_files = copy.copy(loader)
    of_files.runtime_params = {}
    known = set(of_files["parameters"])
    for name in sorted(set(given) - known):
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise RunError(
            f"--params: no file of conf/ has a parameter {name}, so nothing would "
            f"read it{hint}"
        )


def require_inputs(
    pipeline: Pipeline,
    catalog: Any,
    marks: UnfinishedMarks,
    *,
    run: Mapping[str, Any],
) -> None:
    """See that all that a run reads is there, and of no run that stopped.

    Args:
        pipeline: What is to run.
        catalog: The project's catalog.
        marks: Datasets that a run was to make and has not made.
        run: The run's parameters, as Kedro hands them to hooks.

    Raises:
        RunError: If something is missing or was not made anew; the message has
            the command that makes it.
    """
    read = {name for name in pipeline.inputs() if not _is_parameter(name)}
    absent = sorted(n for n in read if n in catalog and not catalog.exists(n))
    if absent:
        raise RunError(_absence(absent, catalog, run=run))
    unfinished = marks.among(read)
    if unfinished:
        raise RunError(
            f"{_listed(list(unfinished))} would be read as an earlier run left it: "
            "the last run that was to make it stopped before that. First finish "
            f"that run, or do it again:\n  {next(iter(unfinished.values()))}\n"
            f"then:\n  {run_command(run)}"
        )


def _absence(absent: list[str], catalog: Any, *, run: Mapping[str, Any]) -> str:
    named = _listed([f"{name} ({_place(catalog, name)})" for name in absent])
    named += " are" if absent[1:] else " is"
    unset = [n for n in absent if _place(catalog, n).startswith("$")]
    if unset:
        variable = _place(catalog, unset[0]).removeprefix("$")
        return (
            f"{named} not there: the environment variable {variable} is not set. "
            f"Set it to the path of the file, then:\n  {run_command(run)}"
        )
    written_by = [_metadata(catalog, n).get("written_by") for n in absent]
    if any(written_by):
        hint = next(filter(None, written_by))
        return f"{named} not there. {hint}, then:\n  {run_command(run)}"
    if any(_layer(catalog, name) == _RAW for name in absent):
        return f"{named} not there. No pipeline makes it: put the file there."
    others = _other_pipelines_that_make(absent)
    how = {"pipeline_names": others} if others else {"to_outputs": absent}
    makes = run_command({"env": run.get("env"), **how})
    again = run_command(run)
    return f"{named} not there. To make it:\n  {makes}\nthen:\n  {again}"


def _is_parameter(name: str) -> bool:
    return name == "parameters" or name.startswith("params:")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if names[_SHOWN:] else ""
    return ", ".join(names[:_SHOWN]) + more


def _layer(catalog: Any, name: str) -> str | None:
    layer: str | None = _metadata(catalog, name).get("kedro-viz", {}).get("layer")
    return layer


def _metadata(catalog: Any, name: str) -> dict[str, Any]:
    return getattr(catalog.get(name), "metadata", None) or {}


def _other_pipelines_that_make(datasets: list[str]) -> list[str]:
    """Name pipelines that are not of the default run and make any of the datasets."""
    makers = []
    for found in pkgutil.iter_modules(pipelines.__path__):
        if found.name not in DEFAULT:
            module = importlib.import_module(f"{pipelines.__name__}.{found.name}")
            if module.create_pipeline().all_outputs() & set(datasets):
                makers.append(found.name)
    return makers


def _place(catalog: Any, name: str) -> str:
    path = str(catalog.get(name)._describe().get("filepath", "?"))
    near = Path(path).is_relative_to(Path.cwd())
    return str(Path(path).relative_to(Path.cwd())) if near else path
