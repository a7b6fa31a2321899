"""Where MLflow keeps runs and models, unless the environment says otherwise."""

import os

from credit_scoring.registry.provenance import project_folder

VARIABLE = "MLFLOW_TRACKING_URI"
_DATABASE = "mlflow.db"
_ARTIFACTS = "mlruns"


def tracking_uri() -> str:
    """Name the server of ``MLFLOW_TRACKING_URI``, or a file of the project."""
    return os.environ.get(VARIABLE) or f"sqlite:///{project_folder() / _DATABASE}"


def artifact_location() -> str | None:
    """Name the project's folder for artifacts; None leaves it to a server."""
    if os.environ.get(VARIABLE):
        return None
    return str(project_folder() / _ARTIFACTS)
