from pathlib import Path
from typing import Any

import pytest

from credit_scoring.simulation.report import simulation_page, write_pictures


@pytest.fixture
def found() -> dict[str, Any]:
    measure = {"log_loss": {"gain": 0.01, "low": -0.01, "high": 0.03, "rows": 500}}
    look = {"challenger": "d", "measures": measure}
    windows = [{"end": 500, "p_value": 1e-30, "name": "limit"}]
    verdict = {"month": 0, "verdict": "keep", "record": None, "why": "<not passed>"}
    year = {
        "title": "A year",
        "primary": "log_loss",
        "drift_at": 0,
        "noticed_at": 500,
        "monitored": [
            {"since": "2030", "end": 500, "verdict": "warn", "why": ["PSI <of> limit"]}
        ],
        "monitoring_noticed_at": 500,
        "windows": windows,
        "looks": [{"challenger": "d", "measures": {}}, look],
        "verdicts": [verdict],
    }
    return {
        "plan": {"lag_months": 3, "size": 500, "window": 500},
        "noticing": {
            "alpha": 1e-4,
            "years": 2,
            "windows": 48,
            "false_windows": 0,
            "false_years": 0,
            "median_delay": 500,
            "longest_delay": None,
        },
        "years": {"one": year, "other": year | {"looks": [], "drift_at": None}},
    }


def test_the_page_says_what_was_noticed_and_loads_nothing(
    found: dict[str, Any],
) -> None:
    page = simulation_page(found)
    assert "noticed\nafter 500 more;" in page
    assert "not within the year" in page
    assert "&lt;not passed&gt;" in page
    assert "After 500 decisions: warn, PSI &lt;of&gt; limit." in page
    assert "by the monitoring pipeline\nafter 500." in page
    assert page.count("data:image/png;base64,") == 3
    assert "http" not in page.replace("http-equiv", "")


def test_the_plots_are_small_files(found: dict[str, Any], tmp_path: Path) -> None:
    write_pictures(found["years"], tmp_path / "made", alpha=1e-4)
    made = {path.name: path.stat().st_size for path in (tmp_path / "made").iterdir()}
    assert set(made) == {
        "simulated-year-one-windows.png",
        "simulated-year-one-looks.png",
        "simulated-year-other-windows.png",
    }
    assert max(made.values()) < 150_000
