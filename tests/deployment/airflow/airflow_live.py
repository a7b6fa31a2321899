"""A whole Airflow at work: backfills, lateness, and retraining because of drift.

By ``make airflow-test``, behind `airflow_run.py`, whose project and champion it uses:
scheduler, processor of DAGs, triggerer and API server on this machine's loopback, and
PostgreSQL for what they know.
"""

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg2
import pyarrow.parquet as pq
import pytest
import yaml

from credit_scoring.pipeline_registry import DEFAULT
from credit_scoring.serving.local_server import HOST, free_port

from ...production.servers import postgres
from ..databases import address_of, make_databases
from .airflow import AIRFLOW, FOLDER, variables
from .conftest import Told, answers, eventually
from .decided import CURRENT, TOMORROW, decide_on
from .deployed import Deployed, poorer

PARTS = (
    ("api-server",),
    ("scheduler", "--skip-serve-logs"),
    ("dag-processor",),
    ("triggerer", "--skip-serve-logs"),
)
MINUTES = 60.0
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
YESTERDAY = TODAY - timedelta(hours=22)
OVER = frozenset({"success", "failed"})


def hurried_schedule(folder: Path) -> Path:
    """The folder as it is deployed, but for times.

    Materialization is always late, nothing is due by its time but batches, and
    monitoring looks as if today was over.
    """
    folder.mkdir()
    for file in FOLDER.iterdir():
        if file.name not in {"schedule.yml", "__pycache__"}:
            os.symlink(file, folder / file.name)
    schedule = yaml.safe_load((FOLDER / "schedule.yml").read_text(encoding="utf-8"))
    schedule["materialization"]["deadline_minutes"] = 0.02
    for name in schedule.keys() - {"batch_scoring"}:
        schedule[name]["schedule"] = "0 0 29 2 *"
    schedule["monitoring"]["parameters"] = [f"monitoring.as_of={TOMORROW}"]
    (folder / "schedule.yml").write_text(yaml.safe_dump(schedule))
    return folder


@contextlib.contextmanager
def at_work(scheduled: Deployed, folder: Path) -> Iterator[None]:
    """Let all parts of Airflow run, and end them."""
    environment = variables(scheduled.home, **scheduled.environment)
    with contextlib.ExitStack() as parts:
        for words in PARTS:
            log = parts.enter_context((folder / f"{words[0]}.log").open("w"))
            process = subprocess.Popen(
                [AIRFLOW, "-m", "airflow", *words],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            parts.callback(end, process)
        yield


def end(process: subprocess.Popen[bytes]) -> None:
    """End a part, and what it started."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait(30)


@pytest.fixture(scope="module")
def live(
    scheduled: Deployed, told: Told, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    if not (scheduled.project / CURRENT).exists():
        scheduled.succeeds("retraining", "2026-11-08")
    folder = tmp_path_factory.mktemp("live")
    port = str(free_port())
    # Today's batch is due as soon as its DAG is not paused.
    scheduled.deliver(f"{datetime.now(UTC):%Y-%m-%d}", scheduled.held_out().head(10))
    scheduled.environment |= {
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": port,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": "made for a test, and known to all its parts",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{port}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "SCHEDULE_DIR": str(hurried_schedule(folder / "airflow")),
        "SCHEDULE_ALERTMANAGER_URL": told.url,
        "CREDIT_SCORING_DECISION_LOG_DIR": str(scheduled.project / "logs/live"),
        "CREDIT_SCORING_MONITORING_DIR": str(scheduled.project / "data/live"),
    }
    health = f"http://{HOST}:{port}/api/v2/monitor/health"
    with postgres() as server:
        made = {"MLFLOW_DB_PASSWORD": secrets.token_hex(16)}
        made["AIRFLOW_DB_PASSWORD"] = secrets.token_hex(16)
        make_databases(server, **made)
        address = address_of(server, "airflow", made["AIRFLOW_DB_PASSWORD"])
        scheduled.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = address.replace(
            "postgresql:", "postgresql+psycopg2:"
        )
        scheduled.run("db", "migrate")
        scheduled.run("dags", "reserialize")
        with at_work(scheduled, folder):
            eventually(lambda: answers(health), 5 * MINUTES)
            yield scheduled


def trigger(live: Deployed, dag: str, moment: datetime, *words: str) -> str:
    """Start a run as a person does, and wait until it is over; gives its state."""
    run = f"by_hand__{moment.isoformat()}"
    date = ("--logical-date", moment.isoformat(), "--run-id", run)
    live.run("dags", "trigger", dag, *date, *words)

    def state() -> str:
        return {one["run_id"]: one["state"] for one in live.runs(dag)}[run]

    eventually(lambda: state() in OVER, 10 * MINUTES)
    return state()


def test_a_backfill_makes_one_output_a_day(live: Deployed) -> None:
    days = ("2026-11-11", "2026-11-12", "2026-11-13")
    for number, day in enumerate(days, start=1):
        live.deliver(day, live.held_out().head(10 * number))
    live.run("dags", "unpause", "batch_scoring")
    dates = ("--from-date", days[0], "--to-date", f"{days[-1]}T23:00")
    more = ("--max-active-runs", "1", "--dag-id", "batch_scoring")
    live.run("backfill", "create", *dates, *more)
    output = live.project / "data/07_model_output/batch"
    eventually(lambda: all((output / day).exists() for day in days), 10 * MINUTES)
    rows = [pq.read_table(output / day / "decisions").num_rows for day in days]
    assert rows == [10, 20, 30]


def test_a_late_run_is_ended_and_told(live: Deployed, told: Told) -> None:
    live.run("dags", "unpause", "materialization")
    assert trigger(live, "materialization", YESTERDAY) == "failed"
    eventually(lambda: ("PipelineLate", "materialization") in told.alerts())
    assert ("PipelineFailed", "materialization") in told.alerts()


def test_what_airflow_knows_is_in_postgresql(live: Deployed) -> None:
    known = urlsplit(live.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
    with contextlib.closing(
        psycopg2.connect(f"postgresql://{known.netloc}/airflow")
    ) as a:
        cursor = a.cursor()
        cursor.execute("SELECT DISTINCT dag_id FROM dag_run WHERE state = 'success'")
        assert cursor.fetchall() == [("batch_scoring",)]


def ask(live: Deployed, path: str) -> Any:
    """Ask Airflow's API for something that is there."""
    server = f"http://{HOST}:{live.environment['AIRFLOW__API__PORT']}"
    token = httpx.get(f"{server}/auth/token").json()["access_token"]
    authorised = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(f"{server}/api/v2/{path}", headers=authorised, timeout=60)
    assert answer.is_success, answer.text[:500]
    return answer.json()


def monitor(live: Deployed, moment: datetime) -> None:
    """Have monitoring run by the scheduler, to success."""
    assert trigger(live, "monitoring", moment) == "success"


def test_the_scheduler_retrains_because_of_drift_and_not_without(
    live: Deployed,
) -> None:
    for dag in ("monitoring", "retraining"):
        live.run("dags", "unpause", dag)
    log = Path(live.environment["CREDIT_SCORING_DECISION_LOG_DIR"])
    calm, drifted = YESTERDAY, YESTERDAY + timedelta(hours=1)
    shutil.rmtree(log, ignore_errors=True)
    decide_on(live, log, live.held_out())
    monitor(live, calm)
    assert live.states("monitoring")["tell_drift"] == "skipped"
    assert ask(live, "assets/events")["total_entries"] == 0

    shutil.rmtree(log)
    decide_on(live, log, poorer(live.held_out()))
    live.called()
    monitor(live, drifted)
    assert live.states("monitoring")["tell_drift"] == "success"
    eventually(lambda: bool(live.runs("retraining")), 5 * MINUTES)
    (run,) = ask(live, "dags/retraining/dagRuns")["dag_runs"]
    assert run["run_type"] == "asset_triggered"
    where = f"dags/retraining/dagRuns/{run['dag_run_id']}"
    (event,) = ask(live, f"{where}/upstreamAssetEvents")["asset_events"]
    assert event["source_task_id"] == "tell_drift"
    assert event["source_run_id"] == f"by_hand__{drifted.isoformat()}"
    eventually(lambda: ask(live, where)["state"] in OVER, 20 * MINUTES)
    assert ask(live, where)["state"] == "success"
    assert set(live.called()) >= set(DEFAULT[: DEFAULT.index("promotion") + 1])
