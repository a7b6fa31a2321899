"""The tasks that Airflow makes, beside itself or in pods of the manifests."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from ..kubernetes.test_manifests import VERSIONS, deployment, kustomize
from .airflow import FOLDER, airflow, require_airflow
from .described import described

__all__ = ["deployment"]

Pod = dict[str, Any]
DAY = "2026-11-28"
# Every task of every DAG as it is after its templates are filled in.
RENDERED = """
import json, sys
from datetime import datetime, UTC
sys.path.insert(0, sys.argv[1])
import credit_scoring_dags as made
from airflow.sdk import DAG
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from kubernetes.client import ApiClient
tasks = {}
for dag in [one for one in vars(made).values() if isinstance(one, DAG)]:
    given = {name: dag.params[name] for name in dag.params}
    context = {"params": given, "logical_date": datetime(2026, 11, 28, 3, tzinfo=UTC)}
    for task in dag.tasks:
        task.render_template_fields(context)
        name = f"{dag.dag_id}.{task.task_id}"
        if isinstance(task, KubernetesPodOperator):
            pod = task.build_pod_request_obj(dry_run=True)
            tasks[name] = ApiClient().sanitize_for_serialization(pod)
        elif hasattr(task, "bash_command"):
            tasks[name] = {"bash": task.bash_command, "env": task.env}
        else:
            tasks[name] = None
print("TASKS" + json.dumps(tasks))
"""


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as it is deployed."""
    folder = tmp_path_factory.mktemp("airflow")
    for name in ("schedule.yml", "drift.py", "roles_changed.py", "dags"):
        os.symlink(FOLDER / name, folder / name)
    (folder / "pipelines.json").write_text(json.dumps(described()))
    return folder


def rendered(shipped: Path, **environment: str) -> dict[str, Any]:
    code = ["-c", RENDERED, str(shipped / "dags")]
    environment["SCHEDULE_DIR"] = str(shipped)
    done = airflow(code, home=shipped / "home", **environment)
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = [one for one in done.stdout.splitlines() if one.startswith("TASKS")]
    tasks: dict[str, Any] = json.loads(line.removeprefix("TASKS"))
    return tasks


@pytest.fixture(scope="module", params=("staging", "production"))
def template(
    request: pytest.FixtureRequest,
    deployment: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The pod that a place's manifests have for pipelines."""
    built = kustomize(deployment / "kubernetes" / "overlays" / request.param)
    assert built.returncode == 0, built.stderr
    made = subprocess.run(
        [sys.executable, str(FOLDER / "pod_template.py")],
        input=built.stdout,
        capture_output=True,
        text=True,
        check=True,
    )
    file = tmp_path_factory.mktemp("template") / "pod.yaml"
    file.write_text(made.stdout)
    return file


@pytest.fixture(scope="module")
def pods(shipped: Path, template: Path) -> dict[str, Pod]:
    require_airflow()
    tasks = rendered(
        shipped, SCHEDULE_RUN_BY="kubernetes", SCHEDULE_POD_TEMPLATE=str(template)
    )
    gates = {name for name, pod in tasks.items() if pod is None}
    assert gates == {"retraining.promotion_gate"}
    return {name: pod for name, pod in tasks.items() if pod}


def test_the_template_is_strictly_valid(template: Path) -> None:
    pod = yaml.safe_load(template.read_text())
    for version in VERSIONS:
        kubernetes_validate.validate(pod, version, strict=True)


def test_each_task_is_a_valid_pod_of_the_manifests(
    pods: dict[str, Pod], template: Path
) -> None:
    wanted = yaml.safe_load(template.read_text())
    assert len(pods) > 12
    for name, pod in pods.items():
        for version in VERSIONS:
            kubernetes_validate.validate(pod, version, strict=True)
        assert pod["metadata"]["namespace"] == wanted["metadata"]["namespace"], name
        assert wanted["metadata"]["labels"].items() <= pod["metadata"]["labels"].items()
        assert pod["spec"]["restartPolicy"] == "Never", name
        (container,) = pod["spec"]["containers"]
        (same,) = wanted["spec"]["containers"]
        for part in ("image", "securityContext", "resources", "volumeMounts", "env"):
            assert container[part] == same[part], f"{name}: {part}"
        assert "args" not in container or not container["args"], name
        for part in ("securityContext", "volumes", "automountServiceAccountToken"):
            assert pod["spec"][part] == wanted["spec"][part], f"{name}: {part}"


def test_the_pods_run_what_is_scheduled_for_the_day(pods: dict[str, Pod]) -> None:
    commands = {
        name: pod["spec"]["containers"][0]["command"] for name, pod in pods.items()
    }
    production = ["kedro", "run", "--env", "production", "--pipelines"]
    assert commands["retraining.training"] == [*production, "training"]
    assert commands["batch_scoring.batch_scoring"] == [
        *production,
        "batch_scoring",
        "--params",
        f"input=data/01_raw/batch/{DAY},output=data/07_model_output/batch/{DAY}",
    ]
    assert commands["monitoring.monitoring"][-1] == (
        f"monitoring.as_of={DAY}T03:00:00+00:00"
    )
    # Where the training image has them.
    script = ["python", "deployment/airflow/drift.py"]
    assert commands["monitoring.tell_drift"][:2] == script
    script = ["python", "deployment/airflow/roles_changed.py"]
    assert commands["retraining.roles_changed"][:2] == script


def test_each_task_beside_airflow_is_a_valid_command(shipped: Path) -> None:
    require_airflow()
    tasks = rendered(shipped, SCHEDULE_PROJECT="/a project/of 'ours'")
    assert len(tasks) > 12
    for name, task in tasks.items():
        if task is None:
            continue
        assert "{{" not in json.dumps(task), name
        command = ["bash", "-n", "-c", task["bash"]]
        assert subprocess.run(command, check=False).returncode == 0, name
    batch = tasks["batch_scoring.batch_scoring"]
    asked = f"input=data/01_raw/batch/{DAY},output=data/07_model_output/batch/{DAY}"
    assert batch["env"]["SCHEDULE_PARAMETERS"] == asked
    assert batch["bash"].endswith('--params "$SCHEDULE_PARAMETERS"')


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"SCHEDULE_RUN_BY": "docker"}, "SCHEDULE_RUN_BY is bash or kubernetes"),
        ({"SCHEDULE_RUN_BY": "kubernetes"}, "SCHEDULE_POD_TEMPLATE is the file"),
    ],
)
def test_a_configuration_that_runs_nothing_is_refused(
    shipped: Path, variables: dict[str, str], said: str
) -> None:
    code = ["-c", RENDERED, str(shipped / "dags")]
    variables = {"SCHEDULE_DIR": str(shipped), **variables}
    done = airflow(code, home=shipped / "home", **variables)
    assert done.returncode != 0
    assert said in done.stderr
