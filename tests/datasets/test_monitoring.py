"""What monitoring keeps is there as a whole, or not at all."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.io import DatasetError

from credit_scoring.datasets.monitoring import (
    LogIndexDataset,
    OptionalTableDataset,
    SummaryDataset,
    WindowRecordsDataset,
)
from credit_scoring.monitoring.publication import Summary

NAME = "A_FOLDER_FOR_THE_TESTS"


def record(day: int, report: bool = True) -> dict[str, Any]:
    name = f"202603{day:02d}T0000Z-24h"
    return {
        "window": name,
        "until": f"2026-03-{day + 1:02d}",
        "computed": True,
        "verdict": "ok",
        "segments": {},
        "figures": {},
        "findings": [],
        "report": f"{name}.html" if report else None,
    }


def test_windows_are_kept_one_by_one_with_the_newest_reports(tmp_path: Path) -> None:
    dataset = WindowRecordsDataset(
        filepath=str(tmp_path), variable=NAME, keep_reports=2
    )
    assert dataset.load() == {}
    for day in (1, 2, 3):
        dataset.save({"record": record(day), "html": b"<p>"})
    dataset.save({"record": record(4, report=False), "html": None})
    assert list(dataset.load()) == [record(day)["window"] for day in (1, 2, 3, 4)]
    kept = sorted(path.name for path in (tmp_path / "reports").iterdir())
    assert kept == [record(day)["report"] for day in (2, 3)]
    assert dataset.exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"window": "x"'])
def test_a_record_that_cannot_be_read_is_not_done(content: str, tmp_path: Path) -> None:
    dataset = WindowRecordsDataset(filepath=str(tmp_path), variable=NAME)
    dataset.save({"record": record(1), "html": None})
    (tmp_path / "windows" / "20260302T0000Z-24h.json").write_text(content)
    assert list(dataset.load()) == [record(1)["window"]]


def test_the_services_own_setting_goes_before_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, str(tmp_path / "elsewhere"))
    dataset = LogIndexDataset(filepath=str(tmp_path), variable=NAME)
    assert dataset.load() == {}
    dataset.save({"hours": 24})
    (file,) = (tmp_path / "elsewhere").iterdir()
    assert json.loads(file.read_text()) == dataset.load() == {"hours": 24}
    file.write_text("{")
    assert dataset.load() == {}
    assert dataset.exists()


def test_the_summary_is_published(tmp_path: Path) -> None:
    dataset = SummaryDataset(filepath=str(tmp_path), variable=NAME)
    assert dataset.load() is None
    now = datetime(2026, 3, 4, tzinfo=UTC)
    summary = Summary(1, "ok", now, None, None, None, 0, [], {}, None)
    dataset.save(summary)
    assert dataset.load() == summary
    assert dataset.exists()


def test_a_table_may_be_absent_and_is_read_by_columns(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    some = OptionalTableDataset(filepath=str(path), columns="loan_id|sex|age")
    assert some.load() is None
    table = pd.DataFrame({"loan_id": ["L-1"], "sex": [1], "secret": [2]})
    table.to_parquet(path)
    loaded = some.load()
    assert loaded is not None
    assert list(loaded) == ["loan_id", "sex"]
    whole = OptionalTableDataset(filepath=str(path)).load()
    assert whole is not None
    assert list(whole) == list(table)
    assert some.exists()
    with pytest.raises(DatasetError, match="only read here"):
        some.save(table)  # type: ignore[arg-type]
