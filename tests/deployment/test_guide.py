"""Each command of the guide and the runbook is run by a test or a script."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import copy_project
from ..project.documented_commands import borrow_environment

PROJECT = Path(__file__).parents[2]
PAGES = ("deployment/README.md", "docs/reference/runbook.md")
COMPOSE = "docker compose -f deployment/compose/compose.yaml"
KEYS = (
    "python deployment/gateway/keys.py "
    "--file deployment/compose/secrets/gateway/keys/api_keys"
)
STACK = "tests/deployment/stack.py"
AIRFLOW = "tests/deployment/airflow/stack_run.py"
ENGINE = "tests/deployment/stack_engine.py"
CONTAINERS = "tests/bentos/containers_run.py"
ROTATION = "tests/bentos/rotation_run.py"
HERE = "tests/deployment/test_guide.py"
FOLLOWED = "tests/project/guides_followed.py"
# Command -> the file that runs it, and the words there that do.
RUN_BY = {
    "make training-image": (ENGINE, '"training-image"'),
    # It calls build.sh, and nothing else.
    "make image": (ENGINE, '"build.sh"'),
    "make image BASE=python:3.11-slim@sha256:...": (ENGINE, '"build.sh"'),
    "kedro run && make image": (STACK, '"kedro", "run"'),
    'make stack-secrets SET="SERVICE_IMAGE=... TRAINING_IMAGE=... '
    'ALERT_WEBHOOK_URL=..."': (HERE, '"stack-secrets"'),
    "make stack": (HERE, '"stack"'),
    f"{KEYS} add branch-7 --roles score": (HERE, '"add"'),
    f"{KEYS} list": (HERE, '"list"'),
    f"{KEYS} revoke branch-7 --hash OLD": (HERE, '"revoke"'),
    "deployment/compose/rollout.sh IMAGE": (CONTAINERS, "roll_out(other)"),
    "deployment/compose/backup.sh FOLDER": (STACK, '"backup.sh"'),
    "deployment/compose/restore.sh FOLDER": (STACK, '"restore.sh"'),
    "deployment/image/build.sh": (ENGINE, '"build.sh"'),
    "deployment/image/stand_in_base.sh": (ENGINE, '"stand_in_base.sh"'),
    "python deployment/compose/make_secrets.py --rotate REDIS_PASSWORD": (
        ROTATION,
        '"--rotate", "REDIS_PASSWORD"',
    ),
    f"{COMPOSE} up -d --no-deps --force-recreate redis": (
        ROTATION,
        '"up", "-d", "--no-deps", "--force-recreate", "redis"',
    ),
    "python deployment/compose/make_secrets.py --rotate MLFLOW_DB_PASSWORD "
    "--rotate AIRFLOW_DB_PASSWORD": (
        AIRFLOW,
        '"--rotate", "MLFLOW_DB_PASSWORD", "--rotate", "AIRFLOW_DB_PASSWORD"',
    ),
    f"{COMPOSE} up -d --no-deps --force-recreate postgres": (
        AIRFLOW,
        '"up", "-d", "--no-deps", "--force-recreate", "postgres"',
    ),
    f"{COMPOSE} exec -T postgres sh -c 'PGHOST=127.0.0.1 "
    "PGPASSWORD=$POSTGRES_PASSWORD sh /docker-entrypoint-initdb.d/databases.sh'": (
        AIRFLOW,
        "sh /docker-entrypoint-initdb.d/databases.sh",
    ),
    f"{COMPOSE} up -d --no-deps --force-recreate mlflow airflow": (
        AIRFLOW,
        '"up", "-d", "--no-deps", "--force-recreate", "mlflow", "airflow"',
    ),
    "make audit": ("tests/deployment/test_audit.py", '"audit.py"'),
    "make audit OSV_URL=": ("tests/deployment/test_audit.py", '"--osv-url"'),
    "make audit ADVISORIES=": ("tests/deployment/test_audit.py", '"--advisories"'),
    "make sbom": ("Makefile", "$(MAKE) --no-print-directory sbom"),
    "make rollback": (FOLLOWED, "how-to/roll-back.md"),
    "make routing": (FOLLOWED, "how-to/roll-back.md"),
    'make routing WHY="..."': (FOLLOWED, "how-to/roll-back.md"),
    "kedro run --pipelines materialization": (
        "tests/deployment/airflow/airflow_run.py",
        'succeeds("materialization"',
    ),
    "promtool test rules": (
        "tests/deployment/test_alerts.py",
        '"test", "rules"',
    ),
}
# By hand: one makes an image of 2.3 GB, the other measures for long.
BY_HAND = {"make airflow-image", "make bench"}

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^    (\S.*)$", re.MULTILINE)
_INLINE = re.compile(
    r"`((?:make|kedro\s+run|python|docker\s+compose|promtool)\s[^`]+"
    r"|deployment/\S+\.sh[^`]*)`"
)
_OF_TESTS = re.compile(r"make [\w-]+-test\b")


def commands_of(page: str) -> set[str]:
    """Give the commands of a page, but for those that start tests."""
    text = _FENCE.sub("", page)
    found = set(_BLOCK.findall(text))
    found |= {" ".join(one.split()) for one in _INLINE.findall(text)}
    return {one for one in found if not _OF_TESTS.match(one)} - {COMPOSE}


def test_each_command_is_run_by_somebody() -> None:
    pages = [(PROJECT / page).read_text(encoding="utf-8") for page in PAGES]
    found = set().union(*map(commands_of, pages))
    assert found == {*RUN_BY, *BY_HAND}


@pytest.mark.parametrize("command", RUN_BY)
def test_who_runs_a_command_is_there(command: str) -> None:
    file, words = RUN_BY[command]
    text = (PROJECT / file).read_text(encoding="utf-8")
    # The table itself is no proof.
    assert words in text.partition("# Command ->")[0] + text.partition("_FENCE = ")[2]
    targets = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake ([\w-]+)", command):
        assert f"\n{target}: " in targets
    for path in re.findall(r"\bdeployment/\S+\.(?:py|sh|yaml)", command):
        assert (PROJECT / path).is_file()


def test_a_command_that_nobody_runs_is_found() -> None:
    page = "    deployment/new.sh NOW\n\nCall `make\nsomething`, not `make x-test`.\n"
    assert commands_of(page) == {"deployment/new.sh NOW", "make something"}


def test_the_stack_is_made_ready_as_the_guide_says(tmp_path: Path) -> None:
    folder = copy_project(tmp_path / "a project", 100).folder
    borrow_environment(folder)
    shutil.copy(PROJECT / "Makefile", folder)
    shutil.copytree(
        PROJECT / "deployment",
        folder / "deployment",
        ignore=shutil.ignore_patterns("secrets", ".env"),
    )
    environment = {
        **{n: v for n, v in os.environ.items() if not n.startswith(("COV", "MAKE"))},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }

    def run(*words: str) -> str:
        done = subprocess.run(
            words,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout if done.returncode == 0 else f"refused: {done.stderr}"

    values = "SERVICE_IMAGE=a:1 TRAINING_IMAGE=b:1 ALERT_WEBHOOK_URL=https://x.example/"
    run("make", "stack-secrets", f"SET={values}")
    key = run(*KEYS.split(), "add", "branch-7", "--roles", "score").strip()
    old = run(*KEYS.split(), "list").split()[0]
    assert len(key) > 40
    assert run(*KEYS.split(), "revoke", "branch-7", "--hash", old) == "1 revoked\n"
    # Nothing is missing any more; the engine's command is another, to start nothing.
    started = run("make", "stack", "COMPOSE=echo the stack is")
    assert started.endswith("the stack is up -d\n")
