"""Tasks that run the project's commands: where Airflow's worker is, or each in a pod.

Airflow has an environment of its own, without Kedro, so a task is a command.
"""

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator

# Where schedule.yml and pipelines.json lie: beside the folder of DAGs.
FOLDER = Path(os.environ.get("SCHEDULE_DIR", Path(__file__).parents[1]))
PROJECT = os.environ.get("SCHEDULE_PROJECT", str(FOLDER.parents[1]))
ENVIRONMENT = os.environ.get("SCHEDULE_KEDRO_ENV", "production")
# How the project's own Kedro is called.
KEDRO = os.environ.get("SCHEDULE_KEDRO", f"{PROJECT}/.venv/bin/python -m kedro")
RUN_BY = os.environ.get("SCHEDULE_RUN_BY", "bash")
POD_TEMPLATE = os.environ.get("SCHEDULE_POD_TEMPLATE", "")

# A script ends with it where there is nothing to do; then what follows is skipped.
_NOTHING_TO_DO = 99
_IN_THE_IMAGE = "deployment/airflow"


@dataclass(frozen=True)
class Command:
    """What a task runs.

    Attributes:
        task_id: Of the task.
        words: Of the command, behind its program; no templates.
        script: File of this folder that Python runs; "" is Kedro.
        parameters: Of Kedro, for `--params`; a template of Airflow.
    """

    task_id: str
    words: Sequence[str] = ()
    script: str = ""
    parameters: str = ""


def run_pipeline(pipeline: str, parameters: str) -> Command:
    """Give the command that runs one pipeline."""
    words = ("run", "--env", ENVIRONMENT, "--pipelines", pipeline)
    return Command(task_id=pipeline, words=words, parameters=parameters)


def task_of(command: Command, **settings: Any) -> Any:
    """Make the task that runs a command, as `SCHEDULE_RUN_BY` says.

    Args:
        command: What is run.
        settings: Of any operator, e.g. its outlets.

    Raises:
        ValueError: If the configuration names no way to run it.
    """
    if RUN_BY == "kubernetes":
        return _in_a_pod(command, settings)
    if RUN_BY == "bash":
        return _beside_airflow(command, settings)
    raise ValueError(f"SCHEDULE_RUN_BY is bash or kubernetes, not {RUN_BY!r}")


def _skipping(command: Command) -> int | None:
    return _NOTHING_TO_DO if command.script else None


def _beside_airflow(command: Command, settings: dict[str, Any]) -> BashOperator:
    program = KEDRO
    if command.script:
        program = f"python3 {shlex.quote(str(FOLDER / command.script))}"
    # What somebody gives to a run reaches the shell as a value, never as its text.
    asked = ' --params "$SCHEDULE_PARAMETERS"' if command.parameters else ""
    return BashOperator(
        task_id=command.task_id,
        bash_command=(
            f"cd {shlex.quote(PROJECT)} && "
            f"exec {program} {shlex.join(command.words)}{asked}"
        ),
        env={"SCHEDULE_PARAMETERS": command.parameters},
        append_env=True,
        skip_on_exit_code=_skipping(command),
        **settings,
    )


def _in_a_pod(command: Command, settings: dict[str, Any]) -> Any:
    from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

    if not Path(POD_TEMPLATE).is_file():
        raise ValueError(
            f"SCHEDULE_POD_TEMPLATE is the file of a pod, not {POD_TEMPLATE!r}; "
            "pod_template.py makes one"
        )
    script = ["python", f"{_IN_THE_IMAGE}/{command.script}"]
    asked = ["--params", command.parameters] if command.parameters else []
    return KubernetesPodOperator(
        task_id=command.task_id,
        name=f"credit-scoring-{command.task_id.replace('_', '-')}",
        pod_template_file=POD_TEMPLATE,
        base_container_name="kedro",
        cmds=[*(script if command.script else ["kedro"]), *command.words, *asked],
        # The first pod on a node waits for the image.
        startup_timeout_seconds=600,
        on_finish_action="delete_succeeded_pod",
        skip_on_exit_code=_skipping(command),
        **settings,
    )
