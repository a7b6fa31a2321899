"""The released models score files by the node, as the service's models do."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bentoml
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from credit_scoring.batch.models import load_released
from credit_scoring.decision.routing import Split
from credit_scoring.errors import BatchError
from credit_scoring.pipelines.batch_scoring.nodes import score_files
from credit_scoring.pipelines.batch_scoring.parameters import BatchScoringParameters
from credit_scoring.pipelines.batch_scoring.pipeline import create_pipeline
from credit_scoring.run_summary import render_summary

from ...registry.conftest import bento_home  # noqa: F401 - a fixture
from ...replay.conftest import applications, artifacts, contract  # noqa: F401

Row = dict[str, Any]


@pytest.fixture
def tags(artifacts: Path, bento_home: Path) -> Iterator[dict[str, str | None]]:  # noqa: F811
    made: dict[str, str | None] = {}
    for version, role in enumerate(("champion", "challenger"), start=1):
        tag = made[role] = f"credit_scoring:v{version}-test"
        labels = {"version": str(version)}
        with bentoml.models.create(tag, labels=labels) as model:
            shutil.copytree(artifacts / role, Path(model.path) / "artifact")
    yield made
    for made_tag in made.values():
        bentoml.models.delete(made_tag)


def test_files_are_scored_by_the_released_models(
    tags: dict[str, str | None],
    applications: list[Row],  # noqa: F811
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = [*applications, {**applications[0], "credit_limit": 1}, applications[1]]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    parameters = BatchScoringParameters(
        routing="split", challenger_share=0.5, decision_log=False
    )
    summary = score_files(
        tags,
        tmp_path / "log",
        str(tmp_path / "a.parquet"),
        str(tmp_path / "out"),
        parameters,
    )
    assert summary["roles"].keys() == {"champion", "challenger"}
    assert (summary["rejected"], summary["repeated_loan_ids"]) == (1, 1)
    assert "not put into the decision log" in caplog.text
    assert "1 of 122 rows are rejected" in caplog.text
    assert "stand in the input more than once" in caplog.text
    shown = render_summary({"batch_summary": summary}, seconds=1.0)
    assert "121 of 122 rows, 1 rejected" in shown
    assert "left out, as asked" in shown
    assert "1 cells: credit_limit: is below the minimum of 1000 NT$" in shown


def test_what_is_not_named_or_not_there_is_told(
    tags: dict[str, str | None], tmp_path: Path
) -> None:
    with pytest.raises(BatchError, match="name what is to be scored: --params input"):
        score_files(tags, tmp_path, None, str(tmp_path / "o"), BatchScoringParameters())
    split = Split(share=0.5, salt="x")
    with pytest.raises(BatchError, match="the release has no challenger"):
        load_released({**tags, "challenger": None}, split=split)
    with pytest.raises(BatchError, match="is not in BentoML's store"):
        load_released({"champion": "credit_scoring:v9-none"})


def test_a_time_without_a_zone_is_utc() -> None:
    given = BatchScoringParameters.model_validate({"scored_at": "2026-02-01"})
    assert given.scored_at is not None
    assert given.scored_at.isoformat() == "2026-02-01T00:00:00+00:00"
    assert given.split is None


def test_the_pipeline_reads_files_through_its_parameters() -> None:
    assert create_pipeline().inputs() == {
        "service_models",
        "batch_decision_log",
        "params:input",
        "params:output",
        "params:batch_scoring",
    }
