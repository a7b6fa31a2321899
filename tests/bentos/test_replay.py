"""What a served Bento decided, decided again from its log."""

import re
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from credit_scoring.digests import sha256_of_file
from credit_scoring.replay.artifacts import Found
from credit_scoring.replay.replaying import replay_log

Row = dict[str, Any]

pytestmark = pytest.mark.end_to_end


class Folders:
    """The artifacts that the Bento was made of."""

    def __init__(self, folder: Path) -> None:
        self._found = {
            sha256_of_file(folder / role / "manifest.json"): Found(
                folder / role, None, role
            )
            for role in ("champion", "challenger")
        }

    def find(self, digest: str, until: ExitStack) -> Found | None:
        return self._found.get(digest)


def test_a_flipped_byte_in_a_served_log_is_found(
    url: str,
    decisions: Path,
    applications: list[Row],
    artifacts: Path,
    tmp_path: Path,
) -> None:
    without = {"loan_id": "none", "credit_limit": 50_000}
    httpx.post(f"{url}/predict", json=without).raise_for_status()
    httpx.post(f"{url}/predict?reasons=true", json=applications[0]).raise_for_status()
    httpx.post(f"{url}/predict/batch", json=applications).raise_for_status()
    folder = tmp_path / "a copy"
    shutil.copytree(decisions, folder)
    found = replay_log(folder, Folders(artifacts))
    # The log is still being written: what stands in it is whole.
    assert found.reproduced, found.as_json()
    assert found.counts.decisions >= len(applications) + 2
    assert found.counts.by_source["degraded"] >= 1

    segment = max(folder.glob("2*.jsonl"), key=lambda path: path.stat().st_size)
    lines = segment.read_bytes().splitlines(keepends=True)
    scored = [n for n, text in enumerate(lines) if re.search(rb'"score":[0-9]', text)]
    line = scored[len(scored) // 2]
    place = lines[line].index(b'"score":') + len(b'"score":')
    broken = bytearray(lines[line])
    broken[place] ^= 1
    lines[line] = bytes(broken)
    segment.write_bytes(b"".join(lines))
    told = replay_log(folder, Folders(artifacts))
    faults = told.as_json()["chain"]["faults"]
    assert any(f.startswith(f"{segment.name}, line {line + 1}: alt") for f in faults)
    assert {(one.line, one.field) for one in told.differences} == {(line + 1, "score")}
