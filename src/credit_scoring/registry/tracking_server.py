"""What must be there before a run that tracks on an MLflow server.

It is looked at first: MLflow itself would try again for minutes, or find out after
hours of training that nothing can be kept.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlflow.exceptions import MlflowException
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request
from requests import Response

from credit_scoring.errors import SettingsError
from credit_scoring.registry.provenance import project_folder
from credit_scoring.registry.signing import (
    SIGNING_KEY_FILE,
    TRUSTED_KEYS_DIR,
    load_signer,
    load_trusted_keys,
)
from credit_scoring.registry.tracking import VARIABLE

ACTOR = "CREDIT_SCORING_ACTOR"
S3_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
S3_ENDPOINT = "MLFLOW_S3_ENDPOINT_URL"
_NEEDED = {
    VARIABLE: "the address of the MLflow server, e.g. https://HOST/mlflow",
    SIGNING_KEY_FILE: "the key that signs promotions",
    TRUSTED_KEYS_DIR: "the public keys whose signatures are believed",
    ACTOR: "who promotes",
}
_TIMEOUT_SECONDS = 10
_TRIES_AGAIN = 2
_OK, _NOT_FOUND = 200, 404
_REFUSED = frozenset({401, 403})


def require_tracking_server(environment: Mapping[str, str], experiment: str) -> None:
    """See that a run can be tracked, its models kept and its promotions signed.

    Args:
        environment: Usually ``os.environ``.
        experiment: Name of the MLflow experiment; it need not exist yet.

    Raises:
        SettingsError: If a variable is not set or not as it must be, or the
            server or its store of artifacts does not answer. The message names
            all variables that are missing, and no value.
    """
    _require_variables(environment)
    load_signer(environment, project_folder())
    load_trusted_keys(environment, project_folder())
    location = _artifact_location(environment[VARIABLE], experiment)
    scheme = urlsplit(location).scheme
    if scheme == "mlflow-artifacts":
        _require_store_behind(environment[VARIABLE])
    elif scheme == "s3":
        _require_bucket(environment, urlsplit(location).netloc)
    else:
        raise SettingsError(
            f"the MLflow server keeps artifacts in {scheme or 'a folder'}, which is "
            "not shared with this machine: start it with --artifacts-destination "
            "s3://BUCKET/PATH"
        )


def _require_variables(environment: Mapping[str, str]) -> None:
    missing = [name for name in _NEEDED if not environment.get(name)]
    if missing:
        named = "".join(f"\n  {name}: {_NEEDED[name]}" for name in missing)
        raise SettingsError(
            f"not set in the environment, and needed with `tracking: server`:{named}"
        )
    address = urlsplit(environment[VARIABLE])
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise SettingsError(f"{VARIABLE} must be an http or https address")
    if address.username is not None or address.password is not None:
        raise SettingsError(
            f"{VARIABLE} must hold no credentials, as it is logged: set "
            "MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD"
        )
    keys = Path(environment[TRUSTED_KEYS_DIR])
    if not keys.is_dir():
        raise SettingsError(f"{TRUSTED_KEYS_DIR} is not a folder: {keys}")


def _ask(server: str, path: str, parameters: Mapping[str, str]) -> Response:
    try:
        answer: Response = http_request(  # type: ignore[no-untyped-call]
            get_default_host_creds(server),  # type: ignore[no-untyped-call]
            f"/api/2.0/{path}",
            "GET",
            max_retries=_TRIES_AGAIN,
            backoff_factor=1,
            timeout=_TIMEOUT_SECONDS,
            raise_on_status=False,
            params=dict(parameters),
        )
    except (MlflowException, OSError) as error:
        raise SettingsError(
            f"the MLflow server of {VARIABLE} does not answer: "
            f"{type(error.__cause__ or error).__name__}"
        ) from None
    return answer


def _artifact_location(server: str, experiment: str) -> str:
    """Say where the experiment keeps artifacts, or where a new one would."""
    by_name = {"experiment_name": experiment}
    answer = _ask(server, "mlflow/experiments/get-by-name", by_name)
    if answer.status_code in _REFUSED:
        raise SettingsError(
            f"the server of {VARIABLE} refuses with {answer.status_code}: set "
            "MLFLOW_TRACKING_TOKEN to a valid key with the role admin"
        )
    if answer.status_code == _NOT_FOUND:
        answer = _ask(server, "mlflow/experiments/get", {"experiment_id": "0"})
    try:
        said: dict[str, Any] = answer.json()["experiment"]
        return str(said["artifact_location"])
    except (ValueError, KeyError, TypeError):
        raise SettingsError(
            f"the server of {VARIABLE} answers {answer.status_code} where an MLflow "
            "server names its experiment"
        ) from None


def _require_store_behind(server: str) -> None:
    # MLflow hands on what the store answers: 401 is about its own credentials.
    answer = _ask(server, "mlflow-artifacts/artifacts", {"path": ""})
    if answer.status_code != _OK:
        raise SettingsError(
            "the MLflow server cannot read its store of artifacts: it answers "
            f"{answer.status_code}; see its log, and its S3 address and credentials"
        )


def _require_bucket(environment: Mapping[str, str], bucket: str) -> None:
    missing = [name for name in S3_CREDENTIALS if not environment.get(name)]
    if missing:
        raise SettingsError(
            f"artifacts are in S3, and not set in the environment: {', '.join(missing)}"
        )
    try:
        from botocore.exceptions import BotoCoreError, ClientError

        client = _s3_client(environment)
    except ImportError:
        raise SettingsError(
            "artifacts are in S3, and boto3 is not installed: install "
            "credit-scoring[production]"
        ) from None
    except ValueError:
        raise SettingsError(f"{S3_ENDPOINT} is no address of a server") from None
    try:
        client.head_bucket(Bucket=bucket)
    except (BotoCoreError, ClientError) as error:
        code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
        raise SettingsError(
            f"the bucket {bucket!r} of the artifacts cannot be used: "
            f"{code or type(error).__name__}"
        ) from None


def _s3_client(environment: Mapping[str, str]) -> Any:
    import boto3
    from botocore.config import Config

    access, secret = (environment[name] for name in S3_CREDENTIALS)
    return boto3.client(
        "s3",
        endpoint_url=environment.get(S3_ENDPOINT) or None,
        aws_access_key_id=access,
        aws_secret_access_key=secret,
        aws_session_token=environment.get("AWS_SESSION_TOKEN") or None,
        region_name=environment.get("AWS_DEFAULT_REGION") or "us-east-1",
        config=Config(
            connect_timeout=_TIMEOUT_SECONDS,
            read_timeout=_TIMEOUT_SECONDS,
            retries={"max_attempts": _TRIES_AGAIN},
        ),
    )
