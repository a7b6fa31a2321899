"""The service does what its own OpenAPI document says, as schemathesis finds."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.end_to_end

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EXAMPLES = 100
BATCH = "/predict/batch"


@pytest.mark.parametrize(
    ("which", "selected"),
    [
        (("--exclude-path", BATCH), "13 selected / 14 total"),
        (("--include-path", BATCH), "1 selected / 14 total"),
    ],
    ids=["all but batches", "batches as JSON"],
)
def test_the_service_keeps_its_document_whatever_it_is_asked(
    url: str, tmp_path: Path, which: tuple[str, ...], selected: str
) -> None:
    """Right and wrong requests of its making, with all of its checks."""
    document = httpx.get(f"{url}/docs.json").json()
    body = document["paths"][BATCH]["post"]["requestBody"]["content"]
    for form in set(body) - {"application/json"}:
        del body[form]
    conforms(url, tmp_path, document, *which, selected=selected)


def test_batches_keep_the_document_in_every_form(url: str, tmp_path: Path) -> None:
    """Lines, CSV and Parquet are strings to JSON Schema, which takes any for right.

    That every string of theirs is taken is the one thing not asked.
    """
    document = httpx.get(f"{url}/docs.json").json()
    which = ("--include-path", BATCH, "--exclude-checks", "positive_data_acceptance")
    conforms(url, tmp_path, document, *which, selected="1 selected / 14 total")


def conforms(
    url: str, folder: Path, document: object, *which: str, selected: str
) -> None:
    (folder / "docs.json").write_text(json.dumps(document))
    done = subprocess.run(
        [
            SCHEMATHESIS, "run", "docs.json", "--url", url,
            "--checks", "all", "--max-examples", str(EXAMPLES),
            "--seed", "20261121", "--continue-on-failure",
            "--suppress-health-check", "all", "--request-timeout", "30", *which,
        ],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert selected in done.stdout
    for phase in ("Examples", "Coverage", "Fuzzing"):
        assert f"✅ {phase}" in done.stdout
