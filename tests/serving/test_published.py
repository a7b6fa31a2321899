"""What the service says of its contract and its models."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from credit_scoring.serving.assembly import Models
from credit_scoring.serving.console_routes import routes_for_people
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.published import Release, read_release
from credit_scoring.serving.settings import Settings

Json = dict[str, Any]
Call = Callable[..., httpx.Response]


def test_the_contract_has_what_a_form_needs(call: Call) -> None:
    contract = call("GET", "/contract").json()
    columns = {column["name"]: column for column in contract["columns"]}
    assert list(columns) == ["loan_id", "amount", "days_late_1", "sex"]
    assert columns["amount"]["unit"] == "EUR"
    assert columns["amount"]["maximum"] == 1000
    assert columns["amount"]["required"] is True
    assert columns["sex"]["role"] == "protected"
    assert columns["sex"]["categories"][0] == {"value": 1, "label": "male"}
    assert contract["examples"] == [{"loan_id": "L-1", "amount": 100, "days_late_1": 0}]
    assert contract["limits"] == {"batch_rows": 20, "batch_bytes": 8192}


def test_the_models_are_named_with_the_policy(call: Call) -> None:
    models = call("GET", "/model").json()
    assert models["champion"]["model"]["version"] == "7"
    assert models["challenger"] is None
    assert models["promotion"] is None
    assert models["policy"]["approve_from"] == 500
    assert [band["from"] for band in models["policy"]["bands"]] == [500, 480, None]


def test_what_is_packed_beside_the_service_is_read(
    tmp_path: Path, models: Models, settings: Settings, approved: Json
) -> None:
    assert read_release(tmp_path) == Release([], None)
    (tmp_path / "examples.json").write_text(json.dumps([approved, {"loan_id": "x"}]))
    (tmp_path / "promotion_record.json").write_text('{"kind": "promotion"}')
    release = read_release(tmp_path)
    assert release.promotion == {"kind": "promotion"}
    routes = routes_for_people(
        models,
        settings,
        ServiceMetrics(CollectorRegistry()),
        histories=None,
        release=release,
    )
    assert "/contract" in {route.path for route in routes}
