"""Which runs are tracked in MLflow, which is imported for those alone."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl

from credit_scoring.registry.tracking import VARIABLE

if TYPE_CHECKING:
    from credit_scoring.tracked_run import TrackedRun


class TrackingServerHooks:
    """Refuses a run that is to be tracked on a server, where it cannot be."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Look for all that the run needs of the environment and of the server.

        Raises:
            SettingsError: If something is missing; nothing has run by then.
        """
        names = context.config_loader["globals"]
        if names.get("tracking") == "server":
            from credit_scoring.registry.tracking_server import require_tracking_server

            require_tracking_server(os.environ, names["name"])


class TrackingHooks:
    """Hands a run to kedro-mlflow, unless conf/base/mlflow.yml disables tracking.

    MLflow takes longer to import than everything else together, so `kedro run` waits
    with it until it knows which pipeline is run. kedro-mlflow's hook for datasets of
    metrics is left out: there are none, and it would import every dataset's library.
    """

    # The name of kedro-mlflow's entry point, which is not loaded then.
    __name__ = "mlflow_hook"

    def __init__(self) -> None:
        """Start with no run."""
        self._context: KedroContext | None = None
        self._run: TrackedRun | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Connect to MLflow, but where a command is about to name its pipelines.

        Notebooks and `kedro mlflow ui` use the connection without a run.
        """
        self._context, self._run = context, None
        command = click.get_current_context(silent=True)
        if command is None or command.info_name != "run":
            self._run = _connected(context)

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Any, catalog: Any
    ) -> None:
        """Open the run, if it is tracked."""
        if self._run is None and self._context is not None:
            settings = self._context.config_loader["mlflow"]
            if not is_tracked(run_params, settings):
                # Nodes may read registered models all the same.
                os.environ[VARIABLE] = settings["server"]["mlflow_tracking_uri"]
                return
            self._run = _connected(self._context)
        if self._run is not None:
            self._run.before_pipeline_run(run_params, pipeline, catalog)

    @hook_impl
    def before_node_run(
        self, node: Any, catalog: Any, inputs: dict[str, Any], is_async: bool
    ) -> None:
        """Log the node's parameters."""
        if self._run is not None:
            self._run.before_node_run(node, catalog, inputs, is_async)

    @hook_impl
    def after_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Any, catalog: Any
    ) -> None:
        """Close the run."""
        if self._run is not None:
            self._run.after_pipeline_run(run_params, pipeline, catalog)

    @hook_impl
    def on_pipeline_error(
        self, error: Exception, run_params: dict[str, Any], pipeline: Any, catalog: Any
    ) -> None:
        """Close the run as failed."""
        if self._run is not None:
            self._run.on_pipeline_error(error, run_params, pipeline, catalog)


def is_tracked(run_params: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Tell whether a run is tracked, as kedro-mlflow would.

    Args:
        run_params: Kedro's description of the run.
        settings: The content of ``mlflow.yml``.
    """
    disabled = settings["tracking"]["disable_tracking"].get("pipelines", ())
    names = run_params.get("pipeline_names") or [run_params.get("pipeline_name")]
    return not all(name in disabled for name in names)


def _connected(context: KedroContext) -> "TrackedRun":
    from credit_scoring.tracked_run import TrackedRun

    run = TrackedRun()
    run.after_context_created(context)
    return run
