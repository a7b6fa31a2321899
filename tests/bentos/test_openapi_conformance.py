"""The service does what its own OpenAPI document says, as schemathesis finds."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.end_to_end

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EXAMPLES = 100


# Lines, CSV and Parquet are strings to JSON Schema, which cannot say what is in them
# and takes any string for right: of this route alone that is not asked.
BATCH = ("--include-path", "/predict/batch")
BUT_BATCH = ("--exclude-path", "/predict/batch")


@pytest.mark.parametrize(
    ("which", "selected"),
    [
        (BUT_BATCH, "13 selected / 14 total"),
        ((*BATCH, "--exclude-checks", "positive_data_acceptance"), "1 selected / 14"),
    ],
    ids=["all but batches", "batches"],
)
def test_the_service_keeps_its_document_whatever_it_is_asked(
    url: str, tmp_path: Path, which: tuple[str, ...], selected: str
) -> None:
    """Right and wrong requests of its making, with all of its checks."""
    done = subprocess.run(
        [
            SCHEMATHESIS, "run", f"{url}/docs.json",
            "--checks", "all", "--max-examples", str(EXAMPLES),
            "--seed", "20261121", "--continue-on-failure",
            "--suppress-health-check", "all", "--request-timeout", "30", *which,
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert selected in done.stdout
    for phase in ("Examples", "Coverage", "Fuzzing"):
        assert f"✅ {phase}" in done.stdout
