"""Kedro's settings of the project."""

from credit_scoring.hooks import RunReportHooks

HOOKS = (RunReportHooks(),)

# kedro-mlflow's and Kedro-Viz's hooks are found by themselves.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry",)

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {"mlflow": ["mlflow*"]},
}
