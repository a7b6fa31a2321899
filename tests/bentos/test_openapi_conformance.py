"""The service does what its own OpenAPI document says, as schemathesis finds."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.end_to_end

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EXAMPLES = 100


def test_the_service_keeps_its_document_whatever_it_is_asked(
    url: str, tmp_path: Path
) -> None:
    """Right and wrong requests of its making, with all of its checks."""
    done = subprocess.run(
        [
            SCHEMATHESIS, "run", f"{url}/docs.json",
            "--checks", "all", "--max-examples", str(EXAMPLES),
            "--seed", "20261121", "--continue-on-failure",
            "--suppress-health-check", "all", "--request-timeout", "30",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "14 selected / 14 total" in done.stdout
    for phase in ("Examples", "Coverage", "Fuzzing"):
        assert f"✅ {phase}" in done.stdout
