"""Files of real applications, and the models of the service to score them with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from credit_scoring.batch.models import BatchModels, batch_model
from credit_scoring.batch.running import BatchRequest, prepare, run_batch
from credit_scoring.decision.routing import Split
from credit_scoring.registry.artifact import load_artifact

from ..replay.conftest import (  # noqa: F401 - fixtures
    VERSIONS,
    applications,
    artifacts,
    contract,
    decided,
    folder,
    loaded,
    shelf,
)

Row = dict[str, Any]


@pytest.fixture(scope="session")
def batch_models(artifacts: Path) -> BatchModels:  # noqa: F811
    champion = load_artifact(artifacts / "champion", compiled=True)
    return BatchModels(
        champion.contract,
        batch_model(
            champion, "champion", name="credit_scoring", version=VERSIONS["champion"]
        ),
    )


@pytest.fixture(scope="session")
def split_models(artifacts: Path, batch_models: BatchModels) -> BatchModels:  # noqa: F811
    challenger = load_artifact(artifacts / "challenger", compiled=True)
    return BatchModels(
        batch_models.contract,
        batch_models.champion,
        batch_model(
            challenger,
            "challenger",
            name="credit_scoring",
            version=VERSIONS["challenger"],
        ),
        Split(share=0.5, salt="a test"),
    )


@pytest.fixture
def source(tmp_path: Path, applications: list[Row]) -> Path:  # noqa: F811
    path = tmp_path / "accounts.parquet"
    pq.write_table(pa.Table.from_pylist(applications), path, row_group_size=50)
    return path


@pytest.fixture
def score(batch_models: BatchModels, tmp_path: Path) -> Callable[..., Any]:
    """Score a file; gives the summary, and the decisions and rejected rows."""

    def run(
        path: Path | str,
        *,
        output: Path | None = None,
        models: BatchModels | None = None,
        **options: Any,
    ) -> tuple[dict[str, Any], list[Row], list[Row]]:
        where = output or tmp_path / f"scores of {Path(path).name}"
        options = {"chunk_rows": 32, "threads": 2, **options}
        request = BatchRequest(str(path), where, **options)
        summary = run_batch(prepare(request, models or batch_models))
        return summary, rows_of(where / "decisions"), rows_of(where / "rejected")

    return run


def rows_of(folder: Path) -> list[Row]:  # noqa: F811
    parts = [pq.read_table(path) for path in sorted(folder.glob("*.parquet"))]
    return [row for part in parts for row in part.to_pylist()]
