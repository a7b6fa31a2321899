"""The DAGs that Airflow makes of the project's pipelines; see also airflow_run.py."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from credit_scoring.pipeline_registry import DEFAULT

from .airflow import AIRFLOW, FOLDER, PROJECT, airflow
from .described import described

SHAPES = """
import json, sys
sys.path.insert(0, sys.argv[1])
import credit_scoring_dags as made
from airflow.sdk import DAG
dags = [one for one in vars(made).values() if isinstance(one, DAG)]
print("SHAPES" + json.dumps({
    dag.dag_id: {
        "tasks": {t.task_id: sorted(t.upstream_task_ids) for t in dag.tasks},
        "retries": sorted({t.retries for t in dag.tasks}),
        "asked": sorted(dag.params),
        "deadline": bool(dag.deadline),
        "schedule": type(dag.schedule).__name__,
    }
    for dag in dags
}))
"""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as it is deployed, with every pipeline that is planned."""
    folder = tmp_path_factory.mktemp("airflow")
    for name in ("schedule.yml", "drift.py", "roles_changed.py", "dags"):
        os.symlink(FOLDER / name, folder / name)
    known = described()
    for plan in yaml.safe_load((FOLDER / "schedule.yml").read_text()).values():
        for name in plan["pipelines"]:
            known["pipelines"].setdefault(name, [])
    (folder / "pipelines.json").write_text(json.dumps(known))
    return folder


def shapes(deployed: Path, **environment: str) -> Any:
    environment["SCHEDULE_DIR"] = str(deployed)
    code = ["-c", SHAPES, str(deployed / "dags")]
    done = airflow(code, home=deployed / "home", **environment)
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = [one for one in done.stdout.splitlines() if one.startswith("SHAPES")]
    return json.loads(line.removeprefix("SHAPES"))


def test_what_follows_what_is_read_from_the_pipelines() -> None:
    known = described()
    assert known["default"] == list(DEFAULT)
    follows = known["pipelines"]
    assert follows["ingestion"] == []
    assert follows["validation"] == ["ingestion"]
    assert "training" in follows["evaluation"]
    assert "promotion" in follows["packaging"]
    assert not [name for name in follows if name.startswith("__")]


def test_each_line_of_the_schedule_is_whole() -> None:
    schedule = yaml.safe_load((FOLDER / "schedule.yml").read_text(encoding="utf-8"))
    assert set(schedule) == {
        "retraining",
        "batch_scoring",
        "monitoring",
        "challenge",
        "materialization",
    }
    for plan in schedule.values():
        assert plan["deadline_minutes"] > 0
        assert plan["retries"] > 0
        assert len(plan["schedule"].split()) == 5
    assert [n for n, plan in schedule.items() if plan.get("tells_drift")]
    assert [n for n, plan in schedule.items() if plan.get("heeds_drift")]


def test_the_dags_have_the_pipelines_in_their_order(deployed: Path) -> None:
    made = shapes(deployed)
    schedule = yaml.safe_load((FOLDER / "schedule.yml").read_text(encoding="utf-8"))
    assert set(made) == set(schedule)
    for name, plan in schedule.items():
        assert made[name]["retries"] == [plan["retries"]]
        assert made[name]["deadline"] is True
    retraining = made["retraining"]["tasks"]
    assert set(retraining) == {*DEFAULT, "promotion_gate", "roles_changed"}
    assert retraining["promotion"] == ["promotion_gate"]
    assert {"evaluation", "training"} <= set(retraining["promotion_gate"])
    assert retraining["packaging"] == ["roles_changed"]
    assert "promotion" in retraining["roles_changed"]
    assert retraining["ingestion"] == []
    assert made["retraining"]["schedule"] == "AssetOrTimeSchedule"
    assert made["monitoring"]["tasks"]["tell_drift"] == ["monitoring"]
    assert made["batch_scoring"]["asked"] == ["input", "output"]
    assert made["monitoring"]["asked"] == []


def test_a_line_whose_pipelines_are_not_there_makes_no_dag(
    deployed: Path, tmp_path: Path
) -> None:
    for name in ("schedule.yml", "drift.py", "roles_changed.py", "dags"):
        os.symlink(FOLDER / name, tmp_path / name)
    known = json.loads((deployed / "pipelines.json").read_text())
    del known["pipelines"]["challenge"]
    (tmp_path / "pipelines.json").write_text(json.dumps(known))
    made = shapes(tmp_path)
    assert "challenge" not in made
    assert "monitoring" in made


def test_airflow_and_the_project_share_no_environment() -> None:
    lock = (FOLDER / "requirements.lock").read_text(encoding="utf-8")
    ours = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
    assert "\nkedro==" not in lock
    assert "apache-airflow" not in ours
    if not AIRFLOW.is_file():
        pytest.skip("Airflow is not installed (make airflow)")
    command = [str(AIRFLOW), "-c", "import kedro"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode != 0
