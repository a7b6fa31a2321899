"""The short form: four months through the real engine, registry and challenge."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest

from credit_scoring.errors import SimulationError
from credit_scoring.simulation.__main__ import main, quieten_libraries, read_held

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def own_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """MLflow as it was, after the simulation pointed it at its own store."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    yield
    mlflow.set_tracking_uri(None)


@pytest.mark.filterwarnings("ignore:register_new_resolver\\(\\) is")
@pytest.mark.usefixtures("own_store")
def test_a_short_year_is_lived_through_and_reported(
    small_project: Any, tmp_path: Path
) -> None:
    data = small_project.folder / "data"
    plan = {"months": 4, "applications": 600, "lag": 2, "window": 300, "years": 2}
    options = [f"--{name}={value}" for name, value in plan.items()]
    places = [f"--data={data}", f"--output={tmp_path}", "--strength=4"]
    assert main([*places, *options, f"--pictures={tmp_path / 'plots'}"]) == 0
    found = json.loads((tmp_path / "simulated_year.json").read_text())
    for year in found["years"].values():
        assert year["decisions"] == 2400
        assert len(year["windows"]) == 8
        assert [one["end"] for one in year["monitored"]] == list(range(300, 2401, 300))
        assert year["verdicts"][0]["measures"] == {}
        # Each month's approvals were reported two months later, and each was matched.
        assert year["counts"]["matched"] == year["counts"]["reported"] > 0
    looked = found["years"]["better"]["verdicts"][-1]["measures"]["log_loss"]
    assert looked["low"] < looked["gain"] < looked["high"]
    drifted = found["years"]["worse"]
    assert drifted["drift_at"] == 1200
    assert 1200 < drifted["noticed_at"] <= 2400
    assert 1200 < drifted["monitoring_noticed_at"] <= 2400
    assert found["noticing"]["windows"] == 16
    assert found["noticing"]["longest_delay"] <= 1200
    assert (
        "A worse challenger, and drift"
        in (tmp_path / "simulated_year.html").read_text()
    )
    assert len(list((tmp_path / "plots").iterdir())) == 4


def test_without_a_default_run_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="do `kedro run` first"):
        read_held(tmp_path / "test_applications.parquet")


def test_libraries_say_nothing_that_nobody_acts_on() -> None:
    loud = "mlflow", "alembic", "matplotlib.font_manager", "credit_scoring"
    before = {name: logging.getLogger(name).level for name in loud}
    try:
        for name in loud:
            logging.getLogger(name).setLevel(logging.INFO)
        quieten_libraries()
        assert not logging.getLogger("mlflow.store.db.utils").isEnabledFor(logging.INFO)
        assert not logging.getLogger("alembic.runtime").isEnabledFor(logging.INFO)
        fonts = logging.getLogger("matplotlib.font_manager")
        assert not fonts.isEnabledFor(logging.WARNING)
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
