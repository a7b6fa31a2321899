"""The documentation names every problem and every metric of the service."""

import re
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from credit_scoring.serving import problems
from credit_scoring.serving.history_metrics import HistoryMetrics
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.recording_metrics import LogMetrics

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
PAGE = REFERENCE / "http.md"
METRICS = REFERENCE / "metrics.md"


def test_each_problem_is_explained() -> None:
    source = Path(problems.__file__).read_text(encoding="utf-8")
    names = set(re.findall(r'HTTPStatus\.[A-Z_]+,\s+"([a-z-]+)"', source))
    names.add("invalid-request")
    assert len(names) == 18
    text = PAGE.read_text(encoding="utf-8")
    assert not [name for name in names if f"| `{name}` |" not in text]


def test_each_metric_is_explained_with_type_and_labels() -> None:
    registry = CollectorRegistry()
    ServiceMetrics(registry)
    LogMetrics(registry)
    HistoryMetrics(registry)
    lines = METRICS.read_text(encoding="utf-8").splitlines()
    named = {
        collector for collector in registry._collector_to_names if is_metric(collector)
    }
    assert len(named) > 25
    for metric in named:
        total = "_total" if metric._type == "counter" else ""
        labels = ", ".join(f"`{label}` " for label in metric._labelnames)
        labels = labels.replace(" ,", ",")
        start = f"| `{metric._name}{total}` | {metric._type} | {labels}|"
        assert [line for line in lines if line.startswith(start)], start
    listed = [line for line in lines if line.startswith("| `credit_scoring_")]
    assert len(listed) == len(named)


def is_metric(collector: Any) -> bool:
    return hasattr(collector, "_labelnames")
