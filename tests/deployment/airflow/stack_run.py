"""Airflow's image in the container stack, on PostgreSQL: ``make airflow-stack-test``.

Run for minutes, as root, with podman and the images that `make training-image` and
`make airflow-image` make; see the operations guide.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .. import stack as rehearsal
from ..stack_engine import Stack, StackError, make_images, plain_containers
from .airflow import FOLDER

PARTS = ("postgres", "storage", "redis", "mlflow", "airflow")
OVER = {"success", "failed", "up_for_retry", "upstream_failed", "skipped"}
DEFAULT_RUN = json.loads((FOLDER / "pipelines.json").read_bytes())["default"]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Airflow, and the parts that it speaks to."""
    if os.geteuid() != 0 or not shutil.which("podman"):
        pytest.skip("the stack's containers need root and podman")
    work = Path(tempfile.mkdtemp(prefix="credit_scoring-airflow-", dir="/var/tmp"))
    images = {name: os.environ[name] for name in ("TRAINING_IMAGE", "AIRFLOW_IMAGE")}
    stack = Stack(
        work,
        images["TRAINING_IMAGE"],
        name="credit-scoring-airflow",
        prefixes=("10.89.191", "10.89.193"),
        # The file for machines without a registry leaves Airflow out.
        variables={**images, "COMPOSE_PROFILES": "registry"},
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in plain_containers().items():
            patch.setenv(name, value)
        try:
            for image in images.values():
                stack.run("podman", "image", "exists", image)
            make_images(stack, training=False)
            rehearsal.prepare(stack)
            stack.compose("up", "-d", "--no-deps", *PARTS)
            wait(stack)
            yield stack
        finally:
            stack.compose("down", "--volumes", "--timeout", "5")
            shutil.rmtree(work, ignore_errors=True)


def wait(stack: Stack) -> None:
    for part in PARTS:
        stack.wait(part, lambda part=part: stack.healthy(part))


def airflow(stack: Stack, *words: str) -> str:
    """Give a command of Airflow in its container, as the guide does."""
    return stack.compose("exec", "-T", "airflow", "airflow", *words)


def listed(stack: Stack, *words: str) -> list[dict[str, Any]]:
    """What such a command lists."""
    said = airflow(stack, *words, "-o", "json")
    # Its log stands before what it lists.
    whole = said[said.index("[{") : said.rindex("]") + 1]
    found: list[dict[str, Any]] = json.loads(whole)
    return found


def kept(stack: Stack, question: str, database: str = "airflow") -> str:
    """Ask PostgreSQL."""
    asked = "PGPASSWORD=$POSTGRES_PASSWORD psql -h 127.0.0.1 -U postgres -tA"
    command = f'{asked} {database} -c "{question}"'
    return stack.compose("exec", "-T", "postgres", "sh", "-c", command)


def test_every_line_of_the_schedule_is_a_dag(stack: Stack) -> None:
    schedule = yaml.safe_load((FOLDER / "schedule.yml").read_text(encoding="utf-8"))
    found = {one["dag_id"]: one["is_paused"] for one in listed(stack, "dags", "list")}
    assert found.keys() == schedule.keys()
    assert {str(paused) for paused in found.values()} == {"True"}
    assert "No data found" in airflow(stack, "dags", "list-import-errors")


def test_a_whole_retraining_promotes_and_packs_a_model(stack: Stack) -> None:
    airflow(stack, "dags", "unpause", "retraining")
    airflow(stack, "dags", "trigger", "retraining", "--run-id", "by_hand")
    asked = "SELECT run_id, task_id, state FROM task_instance"

    def over(run: str = "") -> set[str]:
        """Tasks that are over in a run of this name, or in any."""
        lines = [line.split("|") for line in kept(stack, asked).splitlines()]
        return {task for of, task, state in lines if state in OVER and run in {"", of}}

    try:
        # Airflow may also begin the run of the last Sunday, and take it first.
        for run in ("", "by_hand"):
            for task in DEFAULT_RUN:
                stack.wait(task, lambda t=task, r=run: t in over(r))
    finally:
        airflow(stack, "dags", "pause", "retraining")
    found = {tuple(line.split("|")[1:]) for line in kept(stack, asked).splitlines()}
    assert found >= {(task, "success") for task in DEFAULT_RUN}
    # Whichever came second found nobody in another role.
    assert {state for _, state in found} <= {"success", "skipped"}
    aliases = "SELECT alias FROM registered_model_aliases"
    assert "champion" in kept(stack, aliases, database="mlflow").split()
    packed = ("exec", "-T", "airflow", "/app/.venv/bin/bentoml", "list", "-o", "json")
    bentos = json.loads(stack.compose(*packed))
    assert [one["tag"].partition(":")[0] for one in bentos] == ["credit_scoring"]
    with pytest.raises(StackError):
        stack.compose(
            "exec", "-T", "airflow", "test", "-e", "/var/lib/airflow/airflow.db"
        )


def test_passwords_are_changed_as_the_guide_says(stack: Stack) -> None:
    before = (stack.folder / ".env").read_text(encoding="utf-8")
    stack.secrets("--rotate", "MLFLOW_DB_PASSWORD", "--rotate", "AIRFLOW_DB_PASSWORD")
    stack.compose("up", "-d", "--no-deps", "--force-recreate", "postgres")
    stack.wait("postgres", lambda: stack.healthy("postgres"))
    stack.compose(
        *("exec", "-T", "postgres", "sh", "-c"),
        "PGHOST=127.0.0.1 PGPASSWORD=$POSTGRES_PASSWORD "
        "sh /docker-entrypoint-initdb.d/databases.sh",
    )
    stack.compose("up", "-d", "--no-deps", "--force-recreate", "mlflow", "airflow")
    wait(stack)
    airflow(stack, "db", "check")
    assert "t" in kept(
        stack, "SELECT count(*) = 1 FROM dag_run WHERE run_id = 'by_hand'"
    )
    assert before != (stack.folder / ".env").read_text(encoding="utf-8")
