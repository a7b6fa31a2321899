"""DAGs run by the real Airflow, on the real pipelines; by ``make airflow-test``.

It takes minutes: each pipeline is a `kedro run` of its own. One of them fails at first.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from credit_scoring.pipeline_registry import DEFAULT
from credit_scoring.serving.local_redis import local_redis

from .airflow import FOLDER, PROJECT, airflow

PARTS = ("bentofile.yaml", "bentos", "conf", "data/01_raw", "pyproject.toml", "src")
MADE = shutil.ignore_patterns(
    "releases", "models.json", "promotion_record.json", "*.egg-info", "local"
)
FAILS_AT_FIRST = "validation"
# Kedro as Airflow calls it: notes each call, and fails at the first of one pipeline.
KEDRO = """
import os, runpy, sys
from pathlib import Path
calls = Path(os.environ["CALLS"])
name = sys.argv[sys.argv.index("--pipelines") + 1]
with calls.open("a") as log:
    log.write(name + "\\n")
if name == os.environ.get("FAILS") and calls.read_text().split().count(name) == 1:
    sys.exit("the first attempt fails")
sys.argv[0] = "kedro"
runpy.run_module("kedro", run_name="__main__")
"""


class Deployed:
    """Airflow with our DAGs, and a copy of the project that they run."""

    def __init__(self, folder: Path, redis: str) -> None:
        self.project = folder / "a project"
        self.home = folder / "home"
        self.calls = folder / "calls"
        for part in PARTS:
            source, target = PROJECT / part, self.project / part
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
            else:
                shutil.copytree(source, target, ignore=MADE)
        kedro = folder / "first_attempt.py"
        kedro.write_text(KEDRO)
        described = FOLDER / "pipelines.json"
        if not described.is_file():
            pytest.skip("the pipelines are not described (make airflow-dags)")
        self.environment = {
            "AIRFLOW__CORE__DAGS_FOLDER": str(FOLDER / "dags"),
            "CALLS": str(self.calls),
            "BENTOML_HOME": str(folder / "bento ml"),
            "SCHEDULE_KEDRO": f"'{sys.executable}' '{kedro}'",
            "SCHEDULE_KEDRO_ENV": "test",
            "SCHEDULE_PROJECT": str(self.project),
            "CREDIT_SCORING_REDIS_URL": redis,
            "SCHEDULE_RETRY_SECONDS": "1",
            "SCHEDULE_DEADLINES": "off",
            "FAILS": FAILS_AT_FIRST,
            # Kedro's, not Airflow's: the copy's code is run.
            "PYTHONPATH": os.pathsep.join(
                [str(self.project / "src"), str(FOLDER / "dags")]
            ),
        }
        self.run("db", "migrate")
        self.run("dags", "reserialize")

    def run(self, *words: str, **environment: str) -> str:
        done = airflow(
            ["-m", "airflow", *words],
            home=self.home,
            **self.environment,
            **environment,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        return done.stdout

    def states(self, dag: str) -> dict[str, str]:
        """State of each task in the newest run of a DAG."""
        listed = json.loads(_json(self.run("dags", "list-runs", dag, "-o", "json")))
        newest = max(listed, key=lambda run: run["run_after"])
        assert newest["state"] == "success"
        words = ("tasks", "states-for-dag-run", dag, newest["run_id"], "-o", "json")
        tasks = json.loads(_json(self.run(*words)))
        return {task["task_id"]: task["state"] for task in tasks}

    def called(self) -> list[str]:
        names = self.calls.read_text().split() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        return names


def _json(printed: str) -> str:
    return printed[printed.index("[{") : printed.rindex("]") + 1]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with local_redis() as redis:
        yield Deployed(tmp_path_factory.mktemp("airflow"), redis)


def test_a_closed_gate_is_respected_and_a_failed_task_tried_again(
    deployed: Deployed,
) -> None:
    closed = {"AIRFLOW_VAR_CREDIT_SCORING_CLOSED_GATES": "promotion"}
    deployed.run("dags", "test", "retraining", "2026-11-01", **closed)
    called = deployed.called()
    assert called.count(FAILS_AT_FIRST) == 2
    assert set(called) == {*DEFAULT[: DEFAULT.index("promotion")]}
    states = deployed.states("retraining")
    assert states["promotion_gate"] == "success"
    assert states["promotion"] == states["packaging"] == "skipped"
    assert not (deployed.project / "bentos/releases/current.json").exists()


def test_an_open_gate_leads_to_a_packed_champion(deployed: Deployed) -> None:
    deployed.run("dags", "test", "retraining", "2026-11-08")
    assert set(deployed.called()) == set(DEFAULT)
    assert set(deployed.states("retraining").values()) == {"success"}
    release = deployed.project / "bentos/releases/current.json"
    assert "champion" in json.loads(release.read_bytes())["models"]


def test_materialization_runs_to_success(deployed: Deployed) -> None:
    deployed.run("dags", "test", "materialization", "2026-11-08")
    assert deployed.states("materialization") == {"materialization": "success"}
