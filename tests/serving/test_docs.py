"""The documentation names every problem and every metric of the service."""

import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from credit_scoring.serving import problems
from credit_scoring.serving.history_metrics import HistoryMetrics
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.recording import LogMetrics

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "http.md"


def test_each_problem_is_explained() -> None:
    source = Path(problems.__file__).read_text(encoding="utf-8")
    names = set(re.findall(r'HTTPStatus\.[A-Z_]+,\s+"([a-z-]+)"', source))
    names.add("invalid-request")
    assert len(names) == 15
    text = PAGE.read_text(encoding="utf-8")
    assert not [name for name in names if f"| `{name}` |" not in text]


def test_each_metric_is_explained() -> None:
    registry = CollectorRegistry()
    ServiceMetrics(registry)
    LogMetrics(registry)
    HistoryMetrics(registry)
    text = PAGE.read_text(encoding="utf-8")
    for metric in registry.collect():
        total = "_total" if metric.type == "counter" else ""
        assert f"| `{metric.name}{total}` |" in text
