"""Real held-out applications, decided by the service, monitored, and looked at."""

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from prometheus_client import CollectorRegistry

from credit_scoring.contract.model import Role
from credit_scoring.serving.app import FrontDoor
from credit_scoring.serving.assembly import (
    Models,
    decision_recorder,
    load_models,
    scoring_app,
)
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.models import ModelFolder
from credit_scoring.serving.recording_metrics import LogMetrics
from credit_scoring.serving.settings import Settings

from ...conftest import SmallProject
from ...serving.conftest import no_lifespan, serve

__all__ = ["serve"]

pytestmark = pytest.mark.end_to_end

Row = dict[str, Any]
PATIENCE_MS = 120_000


@pytest.fixture(autouse=True)
def logs_in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests of the same worker may have sent all logs elsewhere."""
    monkeypatch.delenv("CREDIT_SCORING_DECISION_LOG_DIR", raising=False)


@pytest.fixture
def models(own_project: SmallProject) -> Models:
    """The project's champion, as its release names it."""
    release = own_project.folder / "bentos" / "releases" / "current.json"
    digest = json.loads(release.read_bytes())["versions"]["champion"]["artifact_digest"]
    for family in ("scorecard", "boosting"):
        folder = own_project.folder / "data" / "09_release" / family / "artifact"
        models = load_models(ModelFolder(folder, "credit_scoring", "1"), None)
        if models.champion.model.digest == digest:
            return models
    raise AssertionError("the release names no artifact of the project")


@pytest.fixture
def held_out(own_project: SmallProject, models: Models) -> list[Row]:
    data = own_project.folder / "data"
    rows = pd.read_parquet(data / "02_intermediate" / "validated_applications.parquet")
    splits = pd.read_parquet(data / "05_model_input" / "splits.parquet")
    test = rows.loc[rows["loan_id"].isin(splits.loc[splits["split"] == "test"].loan_id)]
    names = models.contract.names(Role.APPLICATION, Role.HISTORY)
    return [
        {"loan_id": str(row["loan_id"]), **{name: row[name] for name in names}}
        for row in test.astype(dict.fromkeys(names, "int64")).to_dict("records")
    ]


def settings(folder: Path) -> Settings:
    return Settings(
        decision_log_dir=str(folder / "logs" / "decisions"),
        monitoring_dir=str(folder / "data" / "08_reporting" / "monitoring"),
    )


def decide(models: Models, chosen: Settings, rows: list[Row]) -> Row:
    """Let the service decide on rows; gives its own view of them."""
    recorder = decision_recorder(models, chosen, LogMetrics(CollectorRegistry()))
    metrics = ServiceMetrics(CollectorRegistry())
    app = scoring_app(models, chosen, metrics, recorder=recorder)

    async def run() -> Row:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test"
        ) as client:
            answer = await client.post("/predict/batch", json=rows)
            assert answer.is_success
            state: Row = (await client.get("/monitoring")).json()
        await app.close()
        return state

    state = asyncio.run(run())
    recorder.close()
    return state


def monitor(project: SmallProject) -> Row:
    """Run the pipeline as if today was over; gives the published summary."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    as_of = f"monitoring.as_of={tomorrow}T02:00:00"
    run = project.kedro("run", "--pipelines", "monitoring", "--params", as_of)
    assert run.returncode == 0, run.stdout + run.stderr
    folder = project.folder / "data" / "08_reporting" / "monitoring"
    summary: Row = json.loads((folder / "summary.json").read_bytes())
    return summary


def verdicts(summary: Row) -> dict[str, str]:
    return {one["subject"]: one["verdict"] for one in summary["findings"]}


def test_held_out_applications_are_no_drift_and_poorer_ones_are(
    own_project: SmallProject,
    models: Models,
    held_out: list[Row],
    serve: Callable[[Any], int],
    tmp_path: Path,
) -> None:
    chosen = settings(own_project.folder)
    state = decide(models, chosen, held_out)
    summary = monitor(own_project)
    found = verdicts(summary)
    assert found["score_drift"] == found["feature_drift"] == found["missing"] == "ok"
    assert {"fairness_sex", "fairness_education"} <= set(found)
    # The service and the run count into the same bins.
    live = state["live"]["score"]["psi"]
    assert summary["figures"]["score_psi"] == pytest.approx(live, abs=1e-6)
    assert summary["decisions"] == len(held_out)

    # Everybody is two months later and has a fifth of the limit.
    changes = {"credit_limit": lambda row: max(row["credit_limit"] // 5, 10_000)}
    for month in range(1, 7):
        name = f"repayment_status_{month}"
        changes[name] = lambda row, name=name: min(row[name] + 2, 8)
    poorer = [
        {**row, **{name: change(row) for name, change in changes.items()}}
        for row in held_out
    ]
    shutil.rmtree(chosen.decision_log_dir)
    decide(models, chosen, poorer * 3)
    summary = monitor(own_project)
    found = verdicts(summary)
    assert found["score_drift"] == "alert"
    assert found["feature_drift"] == "warn"
    assert summary["verdict"] == "alert"
    app = scoring_app(models, chosen, ServiceMetrics(CollectorRegistry()))
    port = serve(FrontDoor(lambda: app, behind=no_lifespan, paths_behind={}))
    look(f"http://127.0.0.1:{port}/monitoring/report", tmp_path / "page.png")


def look(url: str, picture: Path) -> None:
    """Open the report in a browser: it draws itself, and asks for nothing else."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1300, "height": 1600})
        asked: list[str] = []
        faults: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(url, timeout=PATIENCE_MS)
        page.get_by_text("Drift is detected for").wait_for(timeout=PATIENCE_MS)
        page.get_by_text("credit_limit_granted").first.wait_for(timeout=PATIENCE_MS)
        page.locator("svg.main-svg, canvas, svg rect").first.wait_for(
            state="attached", timeout=PATIENCE_MS
        )
        page.screenshot(path=str(picture))
        said = page.inner_text("body")
        browser.close()
    assert "PSI of the score" in said
    assert asked == [url]
    assert faults == []
    assert picture.stat().st_size > 20_000
