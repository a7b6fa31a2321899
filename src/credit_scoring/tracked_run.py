"""One run in MLflow: kedro-mlflow's way, with readable parameters.

Importing this takes MLflow's seconds, so `credit_scoring.tracking` does it late.
"""

import json
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import mlflow
from pydantic import BaseModel

from credit_scoring.registry.provenance import project_folder, provenance_of

# MLflow warns of a class in kedro-mlflow, with a filter of its own before any other.
with warnings.catch_warnings(record=True):
    from kedro_mlflow.framework.hooks import MlflowHook

# Logged whole as a file with each candidate; longer than MLflow's parameters may be.
_LOGGED_AS_A_FILE = frozenset({"contract"})


class TrackedRun(MlflowHook):  # type: ignore[misc]
    """kedro-mlflow's hooks; a typed parameter is logged value by value, once."""

    def __init__(self) -> None:
        """Start with nothing logged."""
        super().__init__()
        self._logged: set[str] = set()

    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Any, catalog: Any
    ) -> None:
        """Open the run and say which code and environment it is of."""
        self._logged = set()
        super().before_pipeline_run(run_params, pipeline, catalog)
        if self._is_mlflow_enabled:
            mlflow.set_tags(provenance_tags())

    def _log_param(self, name: str, value: Any) -> None:
        if name in _LOGGED_AS_A_FILE or name in self._logged:
            return
        self._logged.add(name)
        parameters = dict(flattened(name, value))
        fresh = {k: v for k, v in parameters.items() if k not in self._logged}
        self._logged |= fresh.keys()
        mlflow.log_params(fresh)


def provenance_tags() -> dict[str, str]:
    """Name the code and the environment of a run, as its candidates do."""
    of = provenance_of(project_folder(), data_digest="")
    return {
        "git_revision": of.git_revision,
        "git_dirty": json.dumps(of.git_dirty),
        "environment_digest": of.environment_digest,
    }


def flattened(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Give each value of a nested parameter under its dotted name.

    Args:
        name: Name of the parameter.
        value: A plain value, a mapping or a pydantic model.
    """
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    if isinstance(plain, Mapping):
        for key, item in plain.items():
            yield from flattened(f"{name}.{key}", item)
    else:
        yield name, plain if isinstance(plain, str) else json.dumps(plain)
