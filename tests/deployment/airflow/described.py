"""The project's pipelines as Airflow is told of them."""

import importlib.util
from types import ModuleType
from typing import Any

from kedro.framework.startup import bootstrap_project

from credit_scoring.pipeline_registry import DEFAULT, register_pipelines

from .airflow import FOLDER, PROJECT


def described() -> Any:
    """Describe them, as ``make airflow-dags`` does."""
    spec = importlib.util.spec_from_file_location("describe", FOLDER / "describe.py")
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    bootstrap_project(PROJECT)
    return module.described(register_pipelines(), DEFAULT)
