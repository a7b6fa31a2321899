"""The files of the monitoring stack, read once."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
PROMETHEUS = PROJECT / "deployment" / "prometheus"
# What the servers of the stack and every scrape bring themselves.
FOREIGN = re.compile(r"(up|prometheus_\w+|alertmanager_\w+)")

Rule = dict[str, Any]


def program(*names: str) -> str:
    """Find a program, or skip the test and say what would provide it."""
    for name in names:
        if found := shutil.which(name):
            return found
    pytest.skip(
        f"{names[0]} is not installed "
        "(Debian: apt-get install prometheus prometheus-alertmanager)"
    )


@pytest.fixture(scope="session")
def rules() -> list[Rule]:
    """Every recording and alerting rule."""
    return [
        rule
        for file in sorted((PROMETHEUS / "rules").glob("*.yml"))
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]


@pytest.fixture(scope="session")
def alerts(rules: list[Rule]) -> list[Rule]:
    return [rule for rule in rules if "alert" in rule]


@pytest.fixture(scope="session")
def awaited() -> dict[str, Rule]:
    """Metrics that are used already and are not shown yet."""
    file = PROMETHEUS / "awaited_metrics.yml"
    found: dict[str, Rule] = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    return found


@pytest.fixture(scope="session")
def documented() -> set[str]:
    """Names under which the documented metrics are scraped."""
    text = (PROJECT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    names: set[str] = set()
    for name, kind in re.findall(r"^\| `(\w+)` \| (\w+) \|", text, re.MULTILINE):
        parts = ("_bucket", "_count", "_sum") if kind == "histogram" else ("",)
        names.update(name + part for part in parts)
    return names


@pytest.fixture(scope="session")
def known(
    documented: set[str], awaited: dict[str, Rule], rules: list[Rule]
) -> set[str]:
    """Every name that a query may ask for, but for those of the stack's servers."""
    recorded = {rule["record"] for rule in rules if "record" in rule}
    return documented | set(awaited) | recorded


def metrics_in(query: str) -> set[str]:
    """Find the metrics that a query asks for."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"", " ", query)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left)\s*\([^)]*\)", " ", bare)
    names = re.findall(r"[a-zA-Z_:][\w:]*", bare)
    return {name for name in names if "credit_scoring" in name or FOREIGN.match(name)}
