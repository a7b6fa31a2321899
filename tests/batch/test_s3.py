"""Files in S3, from a real server of the protocol."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from credit_scoring.errors import BatchError

from ..production.servers import BUCKET


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
