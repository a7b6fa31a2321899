"""What an image is made of; images are made by `make stack-test`."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
HADOLINT = Path(sys.executable).with_name("hadolint")


@pytest.fixture(scope="session")
def bento_folder(bento: str) -> Path:
    name, _, version = bento.partition(":")
    return Path(os.environ["BENTOML_HOME"]) / "bentos" / name / version


@pytest.fixture(scope="session")
def dockerfile(bento_folder: Path) -> str:
    return (bento_folder / "env/docker/Dockerfile").read_text(encoding="utf-8")


def test_the_dockerfiles_pass_the_linter(bento_folder: Path) -> None:
    files = [
        bento_folder / "env/docker/Dockerfile",
        PROJECT / "deployment/image/training.Dockerfile",
        PROJECT / "deployment/compose/servers.Dockerfile",
        PROJECT / "deployment/airflow/Dockerfile",
    ]
    done = subprocess.run(
        [HADOLINT, *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_is_not_roots_and_ships_no_compiler(dockerfile: str) -> None:
    shipped = dockerfile.rpartition("\nFROM ")[2]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", shipped, re.MULTILINE)
    assert "HEALTHCHECK" in shipped
    assert not re.search(r"apt-get|pip|\buv\b|gcc|build-essential|\bgit\b ", shipped)


def test_the_image_installs_the_lock_by_its_hashes(
    dockerfile: str, bento_folder: Path
) -> None:
    assert "--require-hashes -r /tmp/requirements.txt" in dockerfile
    packed = bento_folder / "env/python/requirements.txt"
    lock = (PROJECT / "bentos/requirements.lock").read_text(encoding="utf-8")
    wanted = [line for line in lock.splitlines() if "--hash" in line]
    assert [
        line for line in packed.read_text().splitlines() if "--hash" in line
    ] == wanted


def test_the_image_says_what_is_in_it(dockerfile: str) -> None:
    labels = dict(re.findall(r'^(?:LABEL|   ) ([\w.]+)="(.*?)"', dockerfile, re.M))
    assert labels["credit_scoring.champion.model"] == "credit_scoring:v1-test"
    assert labels["credit_scoring.challenger.model"] == "credit_scoring:v2-test"
    assert re.fullmatch("[0-9a-f]{64}", labels["credit_scoring.promotion_record"])
    assert labels["org.opencontainers.image.revision"]


def test_kernels_are_compiled_for_each_model_of_the_bento(
    artifacts: Path, tmp_path: Path
) -> None:
    for role in ("champion", "challenger"):
        place = tmp_path / "models" / "credit_scoring" / role / "artifact"
        shutil.copytree(artifacts / role, place)
    command = [sys.executable, "-m", "credit_scoring.serving.kernels"]
    done = subprocess.run(
        [*command, tmp_path / "models"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "kernels of 2 models" in done.stdout


def test_the_sbom_is_in_the_bento_and_lists_what_the_lock_installs(
    bento_folder: Path,
) -> None:
    sbom = json.loads((bento_folder / "src/bentos/sbom.cdx.json").read_bytes())
    assert sbom["bomFormat"] == "CycloneDX"
    listed = {
        re.sub(r"[-_.]+", "-", part["name"]).lower(): part["version"]
        for part in sbom["components"]
    }
    lock = (PROJECT / "bentos/requirements.lock").read_text(encoding="utf-8")
    locked: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE):
        locked.setdefault(re.sub(r"[-_.]+", "-", name).lower(), set()).add(version)
    # What other Pythons and systems need is in the lock alone.
    assert len(listed) > 60
    assert all(listed[name] in locked[name] for name in listed)
    # Whatever of the lock is installed here is listed (each Python has its own).
    environment = {
        re.sub(r"[-_.]+", "-", each.name).lower()
        for each in importlib.metadata.distributions()
    }
    if sys.version_info[:2] == (3, 11):
        assert set(listed) == set(locked) & environment
