"""The nodes on real logs: incremental, killed in the middle, failing closed."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from credit_scoring.errors import DecisionLogError
from credit_scoring.monitoring.bins import ReferenceBins
from credit_scoring.monitoring.parameters import MonitoringParameters
from credit_scoring.monitoring.publication import Summary
from credit_scoring.pipelines.monitoring import nodes
from credit_scoring.pipelines.monitoring.nodes import (
    index_decision_log,
    measure_outcomes,
    monitor_windows,
    summarise_monitoring,
)

from ...monitoring.conftest import DAY, DIGEST, bins, drawn, entries, folder, write

__all__ = ["bins", "folder", "write"]

Json = dict[str, Any]
Write = Callable[..., Path]
NO_OUTCOMES: Json = {"figures": {}, "findings": []}


@pytest.fixture
def parameters() -> MonitoringParameters:
    return MonitoringParameters(
        least_decisions=200, sample_rows=0, as_of=DAY + timedelta(days=3, hours=2)
    )


@pytest.fixture
def tracked(bins: ReferenceBins, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the MLflow runs; models are found without a registry."""
    names: list[str] = []

    def log(name: str, *args: Any, **kwargs: Any) -> str:
        names.append(name)
        return "run"

    class References:
        def __init__(self, *args: Any) -> None:
            pass

        def __call__(self, digest: str, names: Any) -> ReferenceBins | None:
            return bins if digest == DIGEST else None

    monkeypatch.setattr(nodes, "log_report", log)
    monkeypatch.setattr(nodes, "ArtifactReferences", References)
    return names


@pytest.fixture
def three_days(write: Write) -> None:
    for day, shift in enumerate((0.0, 0.0, 0.9)):
        write(entries(drawn(600, day + 2, shift), DAY + timedelta(days=day)))


def run(
    folder: Path, parameters: MonitoringParameters, done: dict[str, Json]
) -> Iterator[Json]:
    index = index_decision_log(folder, {}, parameters)
    yield from (
        kept["record"]
        for kept in monitor_windows(folder, index, done, None, None, parameters)
    )


def summary(
    folder: Path,
    parameters: MonitoringParameters,
    done: dict[str, Json],
    earlier: Summary | None = None,
) -> Summary:
    index = index_decision_log(folder, {}, parameters)
    return summarise_monitoring(done, index, NO_OUTCOMES, earlier)


@pytest.mark.usefixtures("three_days")
def test_a_drift_is_found_on_its_day_and_not_before(
    folder: Path, parameters: MonitoringParameters, tracked: list[str]
) -> None:
    records = list(run(folder, parameters, {}))
    assert [one["verdict"] for one in records] == ["ok", "ok", "alert"]
    assert tracked == [f"monitoring {one['window']}" for one in records]
    said = summary(folder, parameters, {one["window"]: one for one in records})
    assert said.verdict == "alert"
    assert said.decisions == 600
    assert said.window_since == DAY + timedelta(days=2)
    assert said.last_success_at == said.computed_at
    assert said.figures["score_psi"] is not None
    assert said.figures["score_psi"] > 0.25


@pytest.mark.usefixtures("three_days")
def test_a_run_that_was_killed_goes_on_where_it_was(
    folder: Path, parameters: MonitoringParameters, tracked: list[str]
) -> None:
    first = run(folder, parameters, {})
    kept = next(first)
    first.close()
    done = {kept["window"]: kept}
    rest = list(run(folder, parameters, done))
    assert len(rest) == 2
    assert len(tracked) == 3
    done |= {one["window"]: one for one in rest}
    assert list(run(folder, parameters, done)) == []


@pytest.mark.usefixtures("three_days")
def test_a_late_segment_is_noticed_and_its_window_done_again(
    folder: Path, parameters: MonitoringParameters, tracked: list[str], write: Write
) -> None:
    done = {one["window"]: one for one in run(folder, parameters, {})}
    write(entries(drawn(50, 9), DAY, start=50_000))
    (again,) = run(folder, parameters, done)
    assert again["since"] == DAY.isoformat()
    assert again["figures"]["decisions"] == 650


def test_a_window_that_cannot_be_computed_is_an_alert_and_due_again(
    folder: Path,
    parameters: MonitoringParameters,
    tracked: list[str],
    three_days: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any) -> Any:
        raise DecisionLogError("the disk is on fire")

    with monkeypatch.context() as patch:
        patch.setattr(nodes, "count_window", broken)
        done = {one["window"]: one for one in run(folder, parameters, {})}
    assert {one["verdict"] for one in done.values()} == {"alert"}
    before = datetime(2026, 3, 1, tzinfo=UTC)
    earlier = Summary(1, "ok", before, before, None, None, 0, [], {}, None)
    said = summary(folder, parameters, done, earlier)
    assert said.verdict == "alert"
    assert said.last_success_at == before
    assert "the disk is on fire" in said.findings[0].message
    assert len(list(run(folder, parameters, done))) == 3


@pytest.mark.usefixtures("tracked")
def test_a_changed_log_is_an_alert(
    folder: Path, parameters: MonitoringParameters, write: Write
) -> None:
    path = write(entries(drawn(600, 2), DAY + timedelta(days=2)))
    done = {one["window"]: one for one in run(folder, parameters, {})}
    assert summary(folder, parameters, done).verdict == "ok"
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"band":"B"', b'"band":"A"', 1))
    said = summary(folder, parameters, done)
    assert said.verdict == "alert"
    assert {f.subject for f in said.findings if f.verdict == "alert"} == {
        "decision_log"
    }


@pytest.mark.usefixtures("tracked")
def test_a_day_without_decisions_is_insufficient(
    folder: Path, parameters: MonitoringParameters, write: Write
) -> None:
    write(entries(drawn(600, 2), DAY))
    done = {one["window"]: one for one in run(folder, parameters, {})}
    assert [one["verdict"] for one in done.values()] == ["ok", "insufficient"]
    assert summary(folder, parameters, done).verdict == "insufficient"


def test_nothing_at_all_is_insufficient(
    folder: Path, parameters: MonitoringParameters
) -> None:
    folder.mkdir()
    said = summary(folder, parameters, {})
    assert (said.verdict, said.window_since, said.report) == (
        "insufficient",
        None,
        None,
    )
    assert measure_outcomes(None, parameters)["findings"] == []
