"""A short form of `make bad-input`."""

from pathlib import Path
from typing import Any

import pytest

from credit_scoring.serving.local_server import LocalServer

from .bad_input import ENVIRONMENT, bombard, table
from .faulty_requests import KINDS

pytestmark = pytest.mark.end_to_end

COUNT = 3000


def test_bad_input_gets_its_due_and_harms_nothing(
    bento: str, applications: list[dict[str, Any]], tmp_path: Path
) -> None:
    server = LocalServer(bento, tmp_path / "server.log")
    environment = {
        **ENVIRONMENT, "CREDIT_SCORING_DECISION_LOG_DIR": str(tmp_path / "decisions")
    }  # fmt: skip
    with server.running(environment=environment) as url:
        port = int(url.rpartition(":")[2])
        report = bombard(port, applications, count=COUNT, seed=7, log=server.log)
    print(table(report, seconds=0.0))  # noqa: T201 - shown if it fails
    assert report.complaints == []
    assert report.server_errors() == 0
    assert set(report.sent) == {kind.name for kind in KINDS}
