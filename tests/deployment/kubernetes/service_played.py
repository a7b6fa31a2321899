"""The service's manifest, run by podman: ``make play-kube IMAGE=...``."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from .test_manifests import PROJECT, Manifest, deployment, kustomize, named

__all__ = ["deployment"]

POD = "credit-scoring-pod"
NEEDED = ("ConfigMap", "PersistentVolumeClaim", "Deployment")
ASK = """
import sys, urllib.request
body = sys.stdin.buffer.read()
url = "http://127.0.0.1:3000/predict"
kind = {"Content-Type": "application/json"}
with urllib.request.urlopen(urllib.request.Request(url, body, kind)) as answer:
    print(answer.read().decode())
"""


def podman(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["podman", *arguments], input=text, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def played(deployment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of the running container, made as the overlay says."""
    image = os.environ.get("IMAGE", "")
    if not image or not shutil.which("podman"):
        pytest.skip("it needs podman, and the service's image in IMAGE")
    built = kustomize(deployment / "kubernetes" / "overlays" / "staging")
    assert built.returncode == 0, built.stderr
    manifests = list(yaml.safe_load_all(built.stdout))
    wanted = [of_the_service(manifests, kind) for kind in NEEDED]
    pod = wanted[-1]["spec"]["template"]["spec"]
    pod["containers"][0]["image"] = image
    file = tmp_path_factory.mktemp("played") / "service.yaml"
    file.write_text(yaml.safe_dump_all(wanted))
    # Podman 4.3 takes the values of a Secret by themselves, as JSON.
    secret = of_the_service(manifests, "Secret")
    try:
        name = secret["metadata"]["name"]
        made = podman("secret", "create", name, "-", text=json.dumps(secret["data"]))
        assert made.returncode == 0, made.stderr
        started = podman("play", "kube", str(file))
        assert started.returncode == 0, started.stderr
        names = podman("ps", "--filter", f"name={POD}", "--format", "{{.Names}}")
        # Versions of podman differ in whether a pod has a number.
        (name,) = [each for each in names.stdout.split() if each.endswith("service")]
        yield name
    finally:
        podman("play", "kube", "--down", str(file))
        podman("secret", "rm", secret["metadata"]["name"])
        podman("volume", "rm", "--force", "credit-scoring-logs")


def of_the_service(manifests: list[Manifest], kind: str) -> Manifest:
    start = "credit-scoring-logs" if kind.startswith("Persistent") else "credit-scoring"
    return named(manifests, kind, start)


def test_it_decides_as_its_manifest_lets_it(played: str) -> None:
    examples = json.loads((PROJECT / "bentos" / "examples.json").read_bytes())
    first = examples[0] if isinstance(examples, list) else next(iter(examples.values()))
    application = json.dumps(first[0] if isinstance(first, list) else first)
    answer = eventually(played, application)
    assert re.fullmatch(r"[0-9a-f]{32}", answer["decision_id"])

    logged = podman(
        "exec",
        played,
        "sh",
        "-c",
        "find /var/log/credit-scoring -type f -exec cat {} +",
    )
    assert answer["decision_id"] in logged.stdout
    # As the manifest says: not root, and nothing of its own files can be written.
    assert podman("exec", played, "id", "-u").stdout.strip() == "1034"
    assert podman("exec", played, "touch", "/app/here").returncode


def eventually(container: str, application: str) -> dict[str, str]:
    """Ask until the service is ready."""
    until = time.monotonic() + 120
    while True:
        asked = podman("exec", "-i", container, "python", "-c", ASK, text=application)
        if asked.returncode == 0:
            answer: dict[str, str] = json.loads(asked.stdout)
            return answer
        if time.monotonic() > until:
            raise AssertionError(asked.stderr + podman("logs", container).stdout)
        time.sleep(1)
