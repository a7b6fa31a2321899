"""Kedro's settings of the project."""

import logging

from credit_scoring.configuration import ProjectConfigLoader, file_named_by
from credit_scoring.hooks import RunReportHooks
from credit_scoring.registry.tracking import artifact_location, tracking_uri
from credit_scoring.startup import is_worth_reading
from credit_scoring.tracking import TrackingHooks, TrackingServerHooks

# Notebooks and `kedro ipython` start without the command line, which does this, too.
logging.getLogger("py.warnings").addFilter(is_worth_reading)

# Kedro-Viz's hooks are found by themselves, kedro-mlflow's are behind TrackingHooks.
# The last are called first: the server is looked for before MLflow talks to it.
HOOKS = (RunReportHooks(), TrackingHooks(), TrackingServerHooks())
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry",)

CONFIG_LOADER_CLASS = ProjectConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {"mlflow": ["mlflow*"]},
    # An environment and --params override one value of a parameter, not the whole.
    "merge_strategy": {"parameters": "soft"},
    "custom_resolvers": {
        "mlflow_tracking_uri": tracking_uri,
        "mlflow_artifact_location": artifact_location,
        "file_named_by": file_named_by,
    },
}
