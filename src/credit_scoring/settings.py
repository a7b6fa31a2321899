"""Kedro's settings of the project."""

from credit_scoring.hooks import RunReportHooks
from credit_scoring.registry.tracking import artifact_location, tracking_uri

HOOKS = (RunReportHooks(),)

# kedro-mlflow's and Kedro-Viz's hooks are found by themselves.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry",)

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {"mlflow": ["mlflow*"]},
    "custom_resolvers": {
        "mlflow_tracking_uri": tracking_uri,
        "mlflow_artifact_location": artifact_location,
    },
}
