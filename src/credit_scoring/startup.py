"""What Kedro's command line does first, before it loads any plugin."""

import logging
import os
import sys

# MLflow warns about the signature of a class inside kedro-mlflow, OmegaConf about a
# call inside Kedro, FastAPI about a class that Kedro-Viz uses, and tqdm in a notebook
# about widgets that nothing here draws, at each start. A filter of `warnings` does not
# hold: a library puts its own in front of it.
KNOWN_WARNINGS = (
    "Add type hints to the `predict` method",
    "register_new_resolver() is deprecated",
    "ORJSONResponse is deprecated",
    "IProgress not found",
)

# MLflow reads neither of the first two as it is meant.
NO_TELEMETRY = {
    "DO_NOT_TRACK": "1",
    "BENTOML_DO_NOT_TRACK": "True",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def prepare() -> None:
    """Log warnings, but for those nobody can act on, and send no telemetry."""
    for name, value in NO_TELEMETRY.items():
        os.environ.setdefault(name, value)
    # Nothing here fits in several processes. Without this, joblib warns at import on
    # a machine that has no shared memory for its locks, as containers often have not.
    os.environ.setdefault("JOBLIB_MULTIPROCESSING", "0")
    # Without git, MLflow would warn at length; a revision is unknown then.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    # MLflow's messages go where conf/logging.yml says, as every library's do.
    os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "0")
    # Kedro-Viz serves from a process of its own, which reads this.
    filters = ",".join(f"ignore:{start}" for start in KNOWN_WARNINGS[1:])
    os.environ.setdefault("PYTHONWARNINGS", filters)
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").addFilter(is_worth_reading)
    if sys.argv[1:2] == ["run"]:
        _leave_out_commands_of_plugins()


def is_worth_reading(record: logging.LogRecord) -> bool:
    """Tell whether a logged warning is none of the known ones."""
    return not any(known in record.getMessage() for known in KNOWN_WARNINGS)


def _leave_out_commands_of_plugins() -> None:
    """Spare `kedro run` the import of MLflow for `kedro mlflow`, 3 s."""
    from kedro.framework.cli.utils import ENTRY_POINT_GROUPS

    ENTRY_POINT_GROUPS["project"] = "credit_scoring.no_commands"
