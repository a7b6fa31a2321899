"""Write Grafana's dashboards from what they shall show.

usage: python deployment/grafana/build.py
"""

import json
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
SOURCE = {"type": "prometheus", "uid": "prometheus"}
COLUMNS = 24
# Of Grafana 10, which later ones migrate by themselves.
SCHEMA_VERSION = 39
HEIGHTS = {"stat": 4, "text": 3}
OPTIONS: dict[str, dict[str, Any]] = {
    "stat": {
        "reduceOptions": {"calcs": ["lastNotNull"]},
        "colorMode": "value",
        "graphMode": "area",
    },
    "bargauge": {
        "reduceOptions": {"calcs": ["lastNotNull"]},
        "orientation": "horizontal",
        "displayMode": "basic",
    },
    "heatmap": {"calculate": False, "yAxis": {"axisPlacement": "left"}},
    "table": {"showHeader": True},
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
}

Json = dict[str, Any]


def dashboards() -> dict[str, str]:
    """Make every dashboard.

    Returns:
        Name of the file -> its JSON.
    """
    text = (FOLDER / "dashboards.yml").read_text(encoding="utf-8")
    return {
        f"{name}.json": json.dumps(dashboard(name, shown), indent=2) + "\n"
        for name, shown in yaml.safe_load(text).items()
    }


def dashboard(name: str, shown: Json) -> Json:
    """Make a dashboard of its title and panels."""
    return {
        "uid": f"credit-scoring-{name}",
        "title": shown["title"],
        "tags": ["credit-scoring"],
        "timezone": "browser",
        "editable": False,
        "graphTooltip": 1,
        "schemaVersion": SCHEMA_VERSION,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "links": [
            {
                "title": "Credit scoring",
                "type": "dashboards",
                "icon": "external link",
                "tooltip": "The other dashboards",
                "tags": ["credit-scoring"],
                "asDropdown": True,
                "targetBlank": False,
                "includeVars": False,
                "keepTime": True,
            }
        ],
        "panels": placed(shown["panels"]),
    }


def placed(panels: list[Json]) -> list[Json]:
    """Place panels in rows from left to right, as wide as they ask to be."""
    made: list[Json] = []
    x = y = height = 0
    for number, shown in enumerate(panels, start=1):
        width = shown.get("width", COLUMNS // 2)
        if x + width > COLUMNS:
            x, y, height = 0, y + height, 0
        place = {"x": x, "y": y, "w": width, "h": HEIGHTS.get(shown["type"], 8)}
        made.append(panel(number, shown, place))
        x, height = x + width, max(height, place["h"])
    return made


def panel(number: int, shown: Json, place: Json) -> Json:
    """Make a panel."""
    made: Json = {
        "id": number,
        "type": shown["type"],
        "title": shown["title"],
        "description": shown.get("description", ""),
        "gridPos": place,
    }
    if shown["type"] == "text":
        return made | {"options": {"mode": "markdown", "content": shown["text"]}}
    return made | {
        "datasource": SOURCE,
        "targets": [target(n, query) for n, query in enumerate(shown["queries"])],
        "options": OPTIONS[shown["type"]],
        "fieldConfig": {
            "defaults": {"unit": shown.get("unit", "short")},
            "overrides": [],
        },
    }


def target(number: int, query: Json) -> Json:
    """Make a query of a panel."""
    instant = query.get("instant", False)
    return {
        "refId": chr(ord("A") + number),
        "datasource": SOURCE,
        "expr": query["expr"],
        "legendFormat": query.get("legend", ""),
        "format": query.get("format", "time_series"),
        "instant": instant,
        "range": not instant,
    }


if __name__ == "__main__":
    (FOLDER / "dashboards").mkdir(exist_ok=True)
    for file, written in dashboards().items():
        (FOLDER / "dashboards" / file).write_text(written, encoding="utf-8")
