"""`kedro run --env large`: a model of more applications than are in memory."""

import json
from typing import Any

import pytest

from .conftest import PROJECT, RAW, SmallProject
from .production.servers import BUCKET

ROWS_IN_MEMORY = 6_000
QUICK = "boosting.n_trials=2,boosting.max_rounds=40"


@pytest.fixture
def large(bare_project: SmallProject) -> SmallProject:
    folder = bare_project.folder / "conf/large"
    settings = folder / "globals.yml"
    text = settings.read_text()
    text = text.replace("1000000", str(ROWS_IN_MEMORY))
    settings.write_text(text.replace("id_column: loan_id", "id_column: ID"))
    return bare_project


def run(project: SmallProject, *more: str, **environment: str) -> tuple[int, str]:
    done = project.kedro(
        *("run", "--env", "large", "--to-nodes", "boosting.fit_candidate"),
        *("--params", QUICK, *more),
        **environment,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_model_is_grown_on_more_than_is_in_memory(
    large: SmallProject, bucket: Any
) -> None:
    key = "raw/some.csv.gz"
    bucket.upload_file(str(PROJECT / RAW), BUCKET, key)
    environment = {"CREDIT_SCORING_APPLICATIONS": f"s3://{BUCKET}/{key}"}
    code, said = run(large, **environment)
    assert code == 0, said
    data = large.folder / "data"
    seen = json.loads((data / "02_intermediate/ingestion_summary.json").read_text())
    assert (seen["rows"], seen["rows_in_files"]) == (ROWS_IN_MEMORY, 30_000)
    chosen = data / "08_reporting/boosting/chosen_parameters.json"
    rows = json.loads(chosen.read_text())["training_rows"]
    # 0.40 of 30,000, less those that the contract rejects.
    assert 11_500 < rows < 12_500
    assert f"{int(rows)} of 30000 rows are grown on" in said.replace("\n", " ")
    assert not list((data / "05_model_input/training_rows").iterdir())
    # What is in memory is there, the files are not any more.
    bucket.delete_object(Bucket=BUCKET, Key=key)
    done = large.kedro(
        *("run", "--env", "large", "--nodes", "boosting.fit_candidate"),
        *("--params", QUICK),
        **environment,
    )
    assert done.returncode != 0
    assert "there is no such file or folder" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_files_that_nobody_named_are_asked_for(large: SmallProject) -> None:
    code, said = run(large)
    assert code != 0
    assert "CREDIT_SCORING_APPLICATIONS is not set" in said
    assert "Traceback" not in said
