"""One DAG for each line of the schedule, made from the project's Kedro pipelines.

Airflow runs this file in an environment of its own, without Kedro. Which pipelines
there are, and what follows what, it reads from `pipelines.json`, which `make
airflow-dags` writes beside the schedule. A line whose pipelines are not there makes no
DAG, and one in the log.
"""

import json
import logging
import os
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.python import ShortCircuitOperator
from airflow.sdk import (
    DAG,
    Asset,
    AssetOrTimeSchedule,
    AsyncCallback,
    CronTriggerTimetable,
    DeadlineAlert,
    DeadlineReference,
    Variable,
)
from credit_scoring_alerts import tell_failure, tell_lateness

logger = logging.getLogger(__name__)

# Where schedule.yml and pipelines.json lie: beside the folder of DAGs.
FOLDER = Path(os.environ.get("SCHEDULE_DIR", Path(__file__).parents[1]))
PROJECT = os.environ.get("SCHEDULE_PROJECT", str(FOLDER.parents[1]))
ENVIRONMENT = os.environ.get("SCHEDULE_KEDRO_ENV", "production")
# How the project's own Kedro is called.
KEDRO = os.environ.get("SCHEDULE_KEDRO", f"{PROJECT}/.venv/bin/python -m kedro")
RUN_BY = os.environ.get("SCHEDULE_RUN_BY", "bash")
RETRY_SECONDS = float(os.environ.get("SCHEDULE_RETRY_SECONDS", "300"))
# `airflow dags test` of 3.3.2 breaks off at the end of a run that has a deadline.
DEADLINES = os.environ.get("SCHEDULE_DEADLINES", "on")
POD_TEMPLATE = os.environ.get("SCHEDULE_POD_TEMPLATE", "")
SUMMARY = "data/08_reporting/monitoring/summary.json"
MARKER = "data/08_reporting/monitoring/drift_told"

# Names of pipelines that are closed, apart by commas: `airflow variables set`.
CLOSED_GATES = "credit_scoring_closed_gates"
DRIFT = Asset("credit_scoring_drift")
# Airflow has no logical date where an asset starts a run.
_TIME = "{{ (logical_date or dag_run.run_after).isoformat() }}"
_NO_NEWS = 99

Plan = Mapping[str, Any]


def is_open(name: str) -> bool:
    """Tell whether a gate is open."""
    closed = str(Variable.get(CLOSED_GATES, default="")).replace(" ", "")
    return name not in closed.split(",")


def steps_of(plan: Plan, known: Mapping[str, Any]) -> dict[str, list[str]] | None:
    """Give the pipelines of a plan, and of each those that it follows.

    Returns:
        None if one of them is not there.
    """
    names = plan["pipelines"] or known["default"]
    if not set(names) <= set(known["pipelines"]):
        return None
    return {
        name: [one for one in names if one in known["pipelines"][name]]
        for name in names
    }


def command_of(pipeline: str, plan: Plan) -> list[str]:
    """Give the words of Kedro's command."""
    words = ["run", "--env", ENVIRONMENT, "--pipelines", pipeline]
    parameters = [
        one.replace("{time}", _TIME)
        for one in plan.get("parameters", [])
        if one.startswith(f"{pipeline}.")
    ]
    return words + (["--params", ",".join(parameters)] if parameters else [])


def task_of(pipeline: str, plan: Plan) -> Any:
    """Make the task that runs one pipeline, here or in a pod of its own."""
    words = command_of(pipeline, plan)
    if RUN_BY == "kubernetes":
        from airflow.providers.cncf.kubernetes.operators.pod import (
            KubernetesPodOperator,
        )

        return KubernetesPodOperator(
            task_id=pipeline,
            name=f"credit-scoring-{pipeline.replace('_', '-')}",
            pod_template_file=POD_TEMPLATE,
            base_container_name="kedro",
            cmds=["kedro", *words],
            on_finish_action="delete_succeeded_pod",
        )
    if RUN_BY != "bash":
        raise ValueError(f"SCHEDULE_RUN_BY is bash or kubernetes, not {RUN_BY!r}")
    # Jinja's braces are not to be quoted away; nothing else here is of a user.
    said = " ".join(
        f'"{word}"' if "{{" in word else shlex.quote(word) for word in words
    )
    return BashOperator(
        task_id=pipeline,
        bash_command=f"cd {shlex.quote(PROJECT)} && exec {KEDRO} {said}",
        append_env=True,
    )


def drift_task() -> BashOperator:
    """Make the task that says that the population has drifted, if it has."""
    script = shlex.quote(str(FOLDER / "drift.py"))
    return BashOperator(
        task_id="tell_drift",
        bash_command=(
            f"cd {shlex.quote(PROJECT)} && python3 {script} {SUMMARY} {MARKER}"
        ),
        append_env=True,
        skip_on_exit_code=_NO_NEWS,
        outlets=[DRIFT],
    )


def schedule_of(plan: Plan) -> Any:
    """Give the times of a DAG, and what else starts it."""
    times = CronTriggerTimetable(plan["schedule"], timezone="UTC")
    if not plan.get("heeds_drift"):
        return times
    return AssetOrTimeSchedule(timetable=times, assets=[DRIFT])


def dag_of(name: str, plan: Plan, steps: Mapping[str, list[str]]) -> DAG:
    """Make the DAG of one line of the schedule."""
    deadline = timedelta(minutes=plan["deadline_minutes"])
    with DAG(
        dag_id=name,
        schedule=schedule_of(plan),
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        # What was missed is made good by `airflow backfill create`, by intent.
        catchup=False,
        # Two runs at once would write the same files.
        max_active_runs=1,
        tags=["credit-scoring"],
        default_args={
            "retries": plan["retries"],
            "retry_delay": timedelta(seconds=RETRY_SECONDS),
            "retry_exponential_backoff": True,
            "execution_timeout": deadline,
            "on_failure_callback": tell_failure,
        },
        deadline=deadline_of(name, deadline) if DEADLINES == "on" else None,
    ) as dag:
        tasks = {pipeline: task_of(pipeline, plan) for pipeline in steps}
        # Where each is entered: at its gate, if it has one.
        doors = dict(tasks)
        if (gate := plan.get("gate")) in tasks:
            doors[gate] = gate_of(gate)
            doors[gate] >> tasks[gate]
        for pipeline, before in steps.items():
            for one in before:
                tasks[one] >> doors[pipeline]
        if plan.get("tells_drift"):
            list(tasks.values()) >> drift_task()
    return dag


def deadline_of(name: str, deadline: timedelta) -> DeadlineAlert:
    """Give who is told, and when, that a run is late."""
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=deadline,
        callback=AsyncCallback(tell_lateness, kwargs={"dag_id": name}),
    )


def gate_of(name: str) -> ShortCircuitOperator:
    """Make a gate; a closed one skips all that follows."""
    return ShortCircuitOperator(
        task_id=f"{name}_gate", python_callable=is_open, op_args=[name]
    )


def _dags() -> dict[str, DAG]:
    schedule = yaml.safe_load((FOLDER / "schedule.yml").read_text(encoding="utf-8"))
    known = json.loads((FOLDER / "pipelines.json").read_text(encoding="utf-8"))
    made = {}
    for name, plan in schedule.items():
        steps = steps_of(plan, known)
        if steps is None:
            logger.warning("no DAG %s: the project has not all of its pipelines", name)
            continue
        made[name] = dag_of(name, plan, steps)
    return made


# Airflow finds DAGs among the names of a module.
globals().update(_dags())
