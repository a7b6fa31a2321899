"""One DAG for each line of the schedule, made from the project's Kedro pipelines.

Airflow runs this file in an environment of its own, without Kedro. Which pipelines
there are, and what follows what, it reads from `pipelines.json`, which `make
airflow-dags` writes beside the schedule. A line whose pipelines are not there makes no
DAG, and one in the log.
"""

import json
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from airflow.providers.standard.operators.python import ShortCircuitOperator
from airflow.sdk import (
    DAG,
    Asset,
    AssetOrTimeSchedule,
    AsyncCallback,
    CronTriggerTimetable,
    DeadlineAlert,
    DeadlineReference,
    Param,
    Variable,
)
from credit_scoring_alerts import tell_failure, tell_lateness
from credit_scoring_tasks import FOLDER, Command, run_pipeline, task_of

logger = logging.getLogger(__name__)

RETRY_SECONDS = float(os.environ.get("SCHEDULE_RETRY_SECONDS", "300"))
# `airflow dags test` of 3.3.2 breaks off at the end of a run that has a deadline.
DEADLINES = os.environ.get("SCHEDULE_DEADLINES", "on")
# Folders as the environment's globals.yml names them.
DATA = os.environ.get("SCHEDULE_DATA", "data")
RELEASE = os.environ.get("SCHEDULE_RELEASE", "bentos")

# Names of pipelines that are closed, apart by commas: `airflow variables set`.
CLOSED_GATES = "credit_scoring_closed_gates"
DRIFT = Asset("credit_scoring_drift")
# Airflow has no logical date where an asset, or a person, starts a run.
_MOMENT = "(logical_date or dag_run.run_after)"
_TIME = f"{{{{ {_MOMENT}.isoformat() }}}}"
_DATE = f"{_MOMENT}.strftime('%Y-%m-%d')"
# A comma would add a parameter to Kedro's, a $ would read the environment.
_ASKED = r"""^([^,${}"'\\\x00-\x1f]|\{date\})+$"""

TELL_DRIFT = Command(
    "tell_drift", [f"{DATA}/08_reporting/monitoring"], script="drift.py"
)
ROLES_CHANGED = Command(
    "roles_changed",
    [f"{DATA}/09_release/promotion_record.json", f"{RELEASE}/releases/current.json"],
    script="roles_changed.py",
)

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


def parameters_of(pipeline: str, plan: Plan) -> str:
    """Give Kedro's `--params` of one pipeline, as a template of Airflow."""
    fixed = [
        one.replace("{time}", _TIME)
        for one in plan.get("parameters", [])
        if one.startswith(f"{pipeline}.")
    ]
    asked = [
        f"{name}={{{{ params.{name}.replace('{{date}}', {_DATE}) }}}}"
        for name in plan.get("asked", {})
    ]
    return ",".join(fixed + asked)


def asked_of(plan: Plan) -> dict[str, Param]:
    """Give what whoever starts a run may give to it, with what it is otherwise."""
    return {
        name: Param(default, type="string", pattern=_ASKED, title=name)
        for name, default in plan.get("asked", {}).items()
    }


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
        params=asked_of(plan),
        deadline=deadline_of(name, deadline) if DEADLINES == "on" else None,
    ) as dag:
        tasks = {
            name: task_of(run_pipeline(name, parameters_of(name, plan)))
            for name in steps
        }
        # Where each is entered: at what must be passed before it.
        doors = tasks | _doors(plan, tasks)
        for pipeline, before in steps.items():
            for one in before:
                tasks[one] >> doors[pipeline]
        if plan.get("tells_drift"):
            list(tasks.values()) >> task_of(TELL_DRIFT, outlets=[DRIFT])
    return dag


def _doors(plan: Plan, tasks: Mapping[str, Any]) -> dict[str, Any]:
    """Make what stands before tasks of a plan, and must be passed."""
    doors: dict[str, Any] = {}
    if (gate := plan.get("gate")) in tasks:
        doors[gate] = gate_of(gate)
    if (last := plan.get("only_if_roles_changed")) in tasks:
        doors[last] = task_of(ROLES_CHANGED)
    for name, door in doors.items():
        door >> tasks[name]
    return doors


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
