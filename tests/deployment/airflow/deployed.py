"""Airflow with our DAGs, and a copy of the project whose pipelines they run."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from ...conftest import RAW, copy_project
from .airflow import FOLDER, airflow

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
ROWS = 6000


class Deployed:
    """A project, and an Airflow whose tasks run in it.

    Attributes:
        project: Its folder, with a blank in its name.
        environment: Of Airflow's processes.
    """

    def __init__(self, folder: Path, redis: str) -> None:
        described = FOLDER / "pipelines.json"
        if not described.is_file():
            pytest.skip("the pipelines are not described (make airflow-dags)")
        self.project = copy_project(folder / "a project", ROWS).folder
        self.home = folder / "home"
        self._calls = folder / "calls"
        kedro = folder / "first_attempt.py"
        kedro.write_text(KEDRO)
        self.environment = {
            "AIRFLOW__CORE__DAGS_FOLDER": str(FOLDER / "dags"),
            # Its parts wait for each other a minute at most, not five seconds.
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": (
                f"sqlite:///{self.home}/airflow.db?timeout=60"
            ),
            "CALLS": str(self._calls),
            "BENTOML_HOME": str(folder / "bento ml"),
            "SCHEDULE_KEDRO": f"'{sys.executable}' '{kedro}'",
            "SCHEDULE_KEDRO_ENV": "test",
            "SCHEDULE_PROJECT": str(self.project),
            "CREDIT_SCORING_REDIS_URL": redis,
            "SCHEDULE_RETRY_SECONDS": "1",
            # Kedro's, not Airflow's: the copy's code is run.
            "PYTHONPATH": os.pathsep.join(
                [str(self.project / "src"), str(FOLDER / "dags")]
            ),
        }
        self.run("db", "migrate")
        self.run("dags", "reserialize")

    def call(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Call `airflow ...`."""
        both = {**self.environment, **environment}
        return airflow(["-m", "airflow", *words], home=self.home, **both)

    def run(self, *words: str, **environment: str) -> str:
        """Call `airflow ...` to success; gives what it printed and logged."""
        done = self.call(*words, **environment)
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
        return done.stdout + done.stderr

    def dag_test(
        self, dag: str, day: str, conf: Mapping[str, str] | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a DAG for a day, as `airflow dags test` does."""
        words = ["dags", "test", dag, day]
        words += ["-c", json.dumps(dict(conf))] if conf is not None else []
        return self.call(*words, SCHEDULE_DEADLINES="off", **more)

    def succeeds(
        self, dag: str, day: str, conf: Mapping[str, str] | None = None, **more: str
    ) -> str:
        """Run a DAG for a day to success; gives its log."""
        done = self.dag_test(dag, day, conf, **more)
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
        return done.stdout + done.stderr

    def runs(self, dag: str) -> list[dict[str, str]]:
        """List the runs of a DAG, the newest first."""
        return self._listed("dags", "list-runs", dag)

    def states(self, dag: str, state: str = "success") -> dict[str, str]:
        """State of each task in the run of a DAG that was started last."""
        newest = max(self.runs(dag), key=lambda run: run["start_date"] or "")
        assert newest["state"] == state
        words = ("tasks", "states-for-dag-run", dag, newest["run_id"])
        return {task["task_id"]: task["state"] for task in self._listed(*words)}

    def called(self) -> list[str]:
        """List the pipelines that were run since this was asked last."""
        names = self._calls.read_text().split() if self._calls.exists() else []
        self._calls.unlink(missing_ok=True)
        return names

    def ask_of_candidates(self, minimum_auc: float) -> None:
        """Set what a candidate must reach."""
        file = self.project / "conf" / "test" / "parameters_promotion.yml"
        parameters = yaml.safe_load(file.read_text(encoding="utf-8"))
        parameters["promotion"]["gates"]["minimum_auc"] = minimum_auc
        file.write_text(yaml.safe_dump(parameters))

    def read(self, path: str) -> Any:
        """Read a JSON file of the project."""
        return json.loads((self.project / path).read_bytes())

    def held_out(self) -> pd.DataFrame:
        """Raw applications that no model has learned from."""
        splits = pd.read_parquet(self.project / "data/05_model_input/splits.parquet")
        with gzip.open(self.project / RAW) as file:
            raw = pd.read_csv(file, encoding="utf-8-sig", dtype=str)
        test = splits.loc[splits["split"] == "test", "loan_id"].astype(str)
        return raw[raw["ID"].isin(set(test))]

    def deliver(self, day: str, applications: pd.DataFrame) -> None:
        """Put applications where the batch of a day is expected."""
        folder = self.project / "data/01_raw/batch" / day
        folder.mkdir(parents=True)
        applications.to_csv(folder / "applications.csv.gz", index=False)

    def _listed(self, *words: str) -> list[dict[str, str]]:
        done = self.call(*words, "-o", "json")
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        out = done.stdout
        listed: list[dict[str, str]] = (
            json.loads(out[out.index("[{") : out.rindex("]") + 1])
            if "[{" in out
            else []
        )
        return listed


def poorer(applications: pd.DataFrame) -> pd.DataFrame:
    """Everybody is two months later, and has a fifth of the limit."""
    changed = applications.copy()
    statuses = [
        name for name in changed if name.startswith("PAY_") and "AMT" not in name
    ]
    for name in statuses:
        changed[name] = (changed[name].astype(int) + 2).clip(upper=8)
    changed["LIMIT_BAL"] = (changed["LIMIT_BAL"].astype(float) // 5).clip(lower=10_000)
    return changed


def lines_with(words: Sequence[str], log: str) -> list[str]:
    """Find the lines of a log that have all of some words."""
    return [line for line in log.splitlines() if all(word in line for word in words)]
