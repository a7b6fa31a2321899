"""Dashboards: as built, in Grafana's schema, and asking for metrics that exist."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import FOREIGN, PROJECT, Rule, metrics_in
from .grafana_schema import schema_faults

GRAFANA = PROJECT / "deployment" / "grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
Json = dict[str, Any]

every_dashboard = pytest.mark.parametrize(
    "file", DASHBOARDS, ids=lambda file: file.stem
)


def read(file: Path) -> Json:
    found: Json = json.loads(file.read_bytes())
    return found


def asked_by(file: Path) -> set[str]:
    """Find the metrics that a dashboard asks for."""
    return {
        name
        for panel in read(file)["panels"]
        for target in panel.get("targets", [])
        for name in metrics_in(target["expr"])
    }


def test_the_files_are_as_they_are_built() -> None:
    spec = importlib.util.spec_from_file_location("build", GRAFANA / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    built = build.dashboards()
    assert {file.name: file.read_text() for file in DASHBOARDS} == built, (
        "run make dashboards"
    )
    assert len(built) == 4


@every_dashboard
def test_a_dashboard_is_in_grafanas_schema(file: Path) -> None:
    assert not schema_faults(read(file))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda panel: panel.update(tilte="x"), "tilte is unknown"),
        (lambda panel: panel.update(title=7), "title is no str"),
        (lambda panel: panel["gridPos"].update(w="wide"), "w is no int"),
        (lambda panel: panel["targets"][0].update(exrp="up"), "exrp is unknown"),
        (lambda panel: panel["targets"][0].update(expr=1), "expr is no str"),
        (
            lambda panel: panel["options"].update(colorMode="loud"),
            "is no BigValueColorMode",
        ),
    ],
)
def test_what_is_not_in_the_schema_is_found(change: Any, fault: str) -> None:
    found = read(GRAFANA / "dashboards" / "service.json")
    change(found["panels"][0])
    assert any(fault in one for one in schema_faults(found)), schema_faults(found)


@every_dashboard
def test_identifiers_are_unique_and_panels_do_not_overlap(file: Path) -> None:
    panels = read(file)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not taken & cells
        taken |= cells


@every_dashboard
def test_panels_ask_for_metrics_that_exist(file: Path, known: set[str]) -> None:
    asked = asked_by(file)
    assert asked
    assert not {name for name in asked - known if not FOREIGN.fullmatch(name)}


def test_every_metric_of_the_service_is_on_a_dashboard(
    documented: set[str], awaited: dict[str, Rule], rules: list[Rule]
) -> None:
    shown = {name for file in DASHBOARDS for name in asked_by(file)}
    for rule in rules:
        if rule.get("record") in shown:
            shown |= metrics_in(rule["expr"])
    families = {family(name) for name in documented | set(awaited)}
    assert not families - {family(name) for name in shown}


def family(name: str) -> str:
    """Name a histogram by itself instead of by its parts."""
    return re.sub(r"_(bucket|count|sum)$", "", name)


def test_panels_ask_the_provisioned_source() -> None:
    file = GRAFANA / "provisioning" / "datasources" / "prometheus.yml"
    (source,) = yaml.safe_load(file.read_text(encoding="utf-8"))["datasources"]
    asked = {
        (target["datasource"]["type"], target["datasource"]["uid"])
        for dashboard in DASHBOARDS
        for panel in read(dashboard)["panels"]
        for target in panel.get("targets", [])
    }
    assert asked == {(source["type"], source["uid"])}
