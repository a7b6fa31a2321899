"""The container stack, brought up, broken and taken down: ``make stack-test``.

It trains against MLflow on PostgreSQL and S3, promotes, builds the image, rolls it out
and back under load, kills each container in turn, restores a backup, and prints a
table.
"""

import argparse
import contextlib
import functools
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .stack_engine import (
    PROJECT,
    TRAINING,
    Stack,
    StackError,
    make_images,
    plain_containers,
)
from .stack_load import Load, Seen, trouble_seconds

USER = 1034
FAULTS = (
    "service-1",
    "service-2",
    "redis",
    "mlflow",
    "postgres",
    "storage",
    "prometheus",
    "alertmanager",
    "gateway",
)
SERVERS = ("postgres", "storage", "redis", "mlflow", "prometheus", "alertmanager")
_DOWN_SECONDS = 5
CHAMPION = """
import hashlib, pathlib
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
version = MlflowClient().get_model_version_by_alias("credit_scoring", "champion")
folder = pathlib.Path(download_artifacts(f"models:/credit_scoring/{version.version}"))
files = sorted(path for path in folder.rglob("*") if path.is_file())
assert files
whole = hashlib.sha256()
for path in files:
    whole.update(str(path.relative_to(folder)).encode() + path.read_bytes())
print(version.version, whole.hexdigest())
"""


def say(text: str) -> None:
    """Tell who has started this how far it is."""
    print(text, flush=True)  # noqa: T201 - progress


def copy_deployment(stack: Stack) -> None:
    """Copy what is deployed, but for the secrets of somebody else's stack."""
    shutil.copytree(
        PROJECT / "deployment",
        stack.work / "deployment",
        ignore=shutil.ignore_patterns("secrets", ".env"),
    )


def prepare(stack: Stack) -> None:
    """Make the folders and secrets of a stack that has no model yet."""
    copy_deployment(stack)
    state = stack.work / "state"
    shutil.copytree(
        PROJECT / "bentos",
        state / "bentos",
        ignore=shutil.ignore_patterns("releases", "models.json", "promotion_record*"),
    )
    shutil.copytree(PROJECT / "data" / "01_raw", state / "data" / "01_raw")
    (state / "bentoml").mkdir()
    for path in (state, *state.rglob("*")):
        os.chown(path, USER, USER)
    stack.secrets(
        *("--set", f"TRAINING_IMAGE={stack.training}"),
        *("--set", "SERVICE_IMAGE=localhost/none:none"),
        *("--set", "ALERT_WEBHOOK_URL=http://127.0.0.1:9/nobody"),
    )


def callers(stack: Stack) -> Load:
    """Make callers with a key of the gateway, for real applications."""
    keys = stack.work / "deployment" / "gateway" / "keys.py"
    file = stack.folder / "secrets" / "gateway" / "keys" / "api_keys"
    said = stack.run(
        *(sys.executable, keys, "--file", file, "add", "stack-test"),
        *("--roles", "score", "--rate", "high"),
    )
    key = next(word for word in said.split() if word.startswith("cs_"))
    examples = json.loads((PROJECT / "bentos" / "examples.json").read_bytes())
    applications: list[dict[str, Any]] = (
        examples if isinstance(examples, list) else next(iter(examples.values()))
    )
    certificate = stack.folder / "secrets" / "gateway" / "tls" / "server.crt"
    url = f"https://localhost:{stack.port}"
    return Load(url, key, str(certificate), applications)


def answers(load: Load) -> bool:
    """Say whether the gateway passes a request on and brings a decision."""
    with load.client() as client:
        return not load.ask(client, load.applications[0]).failed


def under_load(stack: Stack, load: Load, what: str, act: Callable[[], None]) -> None:
    """Do something while callers ask, and note what became of them."""
    started = time.monotonic()
    with load.running():
        time.sleep(2)
        act()
        stack.wait(f"the gateway after {what}", lambda: answers(load))
        time.sleep(3)
    note(stack, what, load.since(started))


def note(stack: Stack, what: str, seen: Sequence[Seen]) -> None:
    """Add a line to the table, with the decisions that no log has."""
    recorded = logged_decisions(stack)
    lost = sum(each.decision_id not in recorded for each in seen if not each.failed)
    failed = sum(each.failed for each in seen)
    seconds = f"{trouble_seconds(seen):.1f}"
    stack.rows.append((what, str(len(seen)), str(failed), seconds, str(lost)))
    say("\t".join(stack.rows[-1]))


def logged_decisions(stack: Stack) -> set[str]:
    """Read the decisions that the servers' logs hold."""
    found: set[str] = set()
    for volume in ("decisions-1", "decisions-2"):
        place = stack.run(
            *("podman", "volume", "inspect", f"{stack.name}_{volume}"),
            *("--format", "{{.Mountpoint}}"),
        ).strip()
        for segment in (Path(place) / "decisions").rglob("*"):
            if segment.is_file():
                found.update(_ids(segment.read_bytes()))
    return found


def _ids(text: bytes) -> Iterator[str]:
    for piece in text.split(b'"decision_id":"')[1:]:
        yield piece[:32].decode(errors="replace")


def kill(stack: Stack, service: str) -> None:
    """Kill a container, leave it down for a while, and start it again."""
    stack.run("podman", "kill", "--signal=KILL", stack.container(service))
    time.sleep(_DOWN_SECONDS)
    stack.run("podman", "start", stack.container(service))
    stack.wait(service, lambda: stack.healthy(service))


def main(arguments: Sequence[str]) -> int:
    """Run it all; the exit code is 0 only if nothing failed that must not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--training", help="a training image that is there already")
    parser.add_argument("--keep", action="store_true", help="leave the stack up")
    options = parser.parse_args(arguments)
    if os.geteuid() != 0 or not shutil.which("podman"):
        say("skipped: it needs root and podman")
        return 0
    os.environ.update(plain_containers())
    work = Path(tempfile.mkdtemp(prefix="credit_scoring-stack-", dir="/var/tmp"))
    stack = Stack(work, options.training or TRAINING)
    try:
        make_images(stack, training=options.training is None)
        return show(stack, rehearse(stack))
    except StackError as error:
        say(f"the stack failed: {error}")
        return 1
    finally:
        if not options.keep:
            with contextlib.suppress(StackError):
                stack.compose("down", "--volumes", "--timeout", "5")
            shutil.rmtree(work, ignore_errors=True)


def rehearse(stack: Stack) -> list[str]:
    """Go through a release, its faults and a restore; give what went wrong."""
    prepare(stack)
    stack.compose("up", "-d", "--no-deps", *SERVERS)
    for server in SERVERS:
        seconds = stack.wait(server, functools.partial(stack.healthy, server))
        say(f"{server} is healthy after {seconds:.0f} s")
    started = time.monotonic()
    stack.train("kedro", "run")
    say(f"trained, promoted and packed in {time.monotonic() - started:.0f} s")
    before = stack.train("python", "-c", CHAMPION)
    stack.run(stack.folder / "backup.sh", stack.work / "backup")
    first = stack.build("localhost/credit_scoring:stack-test-1")
    second = stack.relabelled(first, "localhost/credit_scoring:stack-test-2")
    stack.secrets("--set", f"SERVICE_IMAGE={first}")
    load = callers(stack)
    stack.compose("up", "-d", "--no-deps", "service-1", "service-2", "gateway")
    say(f"answers after {stack.wait('the gateway', lambda: answers(load)):.0f} s")
    seconds = stack.wait("Prometheus with all targets", stack.watched)
    say(f"Prometheus sees all targets, and Alertmanager hears of it: {seconds:.0f} s")
    for what, image in (("rollout", second), ("rollback", first)):
        under_load(stack, load, what, functools.partial(stack.roll_out, image))
    for service in FAULTS:
        under_load(
            stack,
            load,
            f"{service} killed",
            lambda service=service: kill(stack, service),
        )
    wrong = check_rows(stack.rows)
    after = restored(stack)
    say(f"restored: {after.strip() == before.strip()}")
    return wrong + ([] if after == before else ["the restored champion is another"])


def restored(stack: Stack) -> str:
    """Lose PostgreSQL and the storage, restore both, and look at the champion."""
    stack.compose("stop", "mlflow", "postgres", "storage")
    for service in ("mlflow", "postgres", "storage"):
        stack.run("podman", "rm", "--force", stack.container(service))
    for volume in ("postgres", "storage"):
        stack.run("podman", "volume", "rm", "--force", f"{stack.name}_{volume}")
    stack.compose("up", "-d", "--no-deps", "postgres", "storage", "mlflow")
    stack.wait("mlflow", lambda: stack.healthy("mlflow"))
    stack.run(stack.folder / "restore.sh", stack.work / "backup")
    stack.wait("mlflow", lambda: stack.healthy("mlflow"))
    return stack.train("python", "-c", CHAMPION)


def check_rows(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Name what must not have happened: any loss, and any failure but the gateway's."""
    wrong = []
    for what, sent, failed, _, lost in rows:
        if int(sent) == 0 or int(lost):
            wrong.append(f"{what}: sent {sent}, lost {lost}")
        if int(failed) and not what.startswith("gateway"):
            wrong.append(f"{what}: {failed} of {sent} failed")
    return wrong


def show(stack: Stack, wrong: Sequence[str]) -> int:
    """Print the table and what is wrong with it."""
    rows = [("fault", "sent", "failed", "seconds degraded", "lost"), *stack.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        say(f"| {' | '.join(cells)} |")
    for line in wrong:
        say(f"wrong: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
