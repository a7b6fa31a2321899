"""Save the bucket of artifacts as a tar archive on stdout, or load one from stdin.

usage, inside the container: python /etc/mlflow/bucket.py save|load
"""

import io
import os
import sys
import tarfile
from typing import Any

import boto3


def main(what: str) -> None:
    """Save or load every object of the bucket."""
    bucket = os.environ["MLFLOW_BUCKET"]
    storage = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
    if what == "save":
        count = _save(storage, bucket)
    elif what == "load":
        count = _load(storage, bucket)
    else:
        sys.exit("usage: bucket.py save|load")
    sys.stderr.write(f"{count} objects\n")


def _save(storage: Any, bucket: str) -> int:
    count = 0
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
        for page in storage.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for found in page.get("Contents", ()):
                body = storage.get_object(Bucket=bucket, Key=found["Key"])[
                    "Body"
                ].read()
                entry = tarfile.TarInfo(found["Key"])
                entry.size = len(body)
                archive.addfile(entry, io.BytesIO(body))
                count += 1
    return count


def _load(storage: Any, bucket: str) -> int:
    count = 0
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as archive:
        for entry in archive:
            file = archive.extractfile(entry)
            if file is not None:
                storage.put_object(Bucket=bucket, Key=entry.name, Body=file.read())
                count += 1
    return count


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
