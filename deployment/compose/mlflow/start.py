"""Start MLflow's server when its bucket is there; a new storage gets the bucket.

PostgreSQL is waited for, too: whatever order the containers start in is good.
"""

import os
import socket
import sys
import time
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

_WAIT_SECONDS = 300
_EXISTS = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}


def main() -> None:
    """Wait for what the server needs, then become the server."""
    gives_up = time.monotonic() + _WAIT_SECONDS
    bucket = os.environ["MLFLOW_BUCKET"]
    database = urlsplit(os.environ["MLFLOW_BACKEND_STORE_URI"])
    for name, ready in (
        ("the database", lambda: _answers(str(database.hostname), database.port)),
        ("the bucket", lambda: _has_bucket(bucket)),
    ):
        while not ready():
            if time.monotonic() > gives_up:
                sys.exit(f"{name} was not there after {_WAIT_SECONDS} s")
            time.sleep(1)
    command = ["mlflow", "server", "--host", "0.0.0.0", "--port", "5000"]  # noqa: S104
    command += ["--workers", "1", "--artifacts-destination", f"s3://{bucket}"]
    command += ["--allowed-hosts", os.environ["MLFLOW_HOSTS"]]
    os.execvp(command[0], command)  # noqa: S606 - no shell wanted


def _answers(host: str, port: int | None) -> bool:
    try:
        with socket.create_connection((host, port or 5432), timeout=3):
            return True
    except OSError:
        return False


def _has_bucket(bucket: str) -> bool:
    storage = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
    try:
        storage.create_bucket(Bucket=bucket)
    except ClientError as error:
        return error.response["Error"]["Code"] in _EXISTS
    except BotoCoreError:
        return False
    return True


if __name__ == "__main__":
    main()
