"""The Bento, built and served by BentoML, asked over HTTP."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from credit_scoring.serving.local_server import LocalServer, has_ended

Row = dict[str, Any]

pytestmark = pytest.mark.end_to_end


def test_health_and_metrics_are_answered(url: str, applications: list[Row]) -> None:
    for path in ("/livez", "/healthz", "/readyz"):
        assert httpx.get(url + path).status_code == 200
    httpx.post(f"{url}/predict", json=applications[0])
    metrics = httpx.get(f"{url}/metrics").text
    assert 'credit_scoring_requests_total{route="/predict",status="200"}' in metrics
    assert "credit_scoring_decisions_total{" in metrics
    assert "credit_scoring_request_duration_seconds_bucket{" in metrics


def test_an_unknown_path_makes_no_metric(url: str) -> None:
    assert httpx.get(f"{url}/scanner/was/here").status_code == 404
    assert "scanner" not in httpx.get(f"{url}/metrics").text


def test_applications_are_decided_by_the_champion(
    url: str, applications: list[Row]
) -> None:
    answers = [
        httpx.post(f"{url}/predict", json=row).json() for row in applications[:40]
    ]
    assert {answer["model"]["role"] for answer in answers} == {"champion"}
    assert {answer["model"]["version"] for answer in answers} == {"1"}
    decided = {answer["decision"] for answer in answers}
    assert {"approve", "decline"} <= decided
    for answer in answers:
        assert 0 < answer["pd"] < 1
        assert bool(answer["reasons"]) is (answer["decision"] != "approve")


def test_a_batch_gives_the_same_bits_as_single_requests(
    url: str, applications: list[Row]
) -> None:
    answers = httpx.post(f"{url}/predict/batch", json=applications).json()
    assert [a["loan_id"] for a in answers] == [r["loan_id"] for r in applications]
    for row, answer in zip(applications[:20], answers, strict=False):
        alone = httpx.post(f"{url}/predict", json=row).json()
        for key in ("pd", "score", "band", "decision", "reasons"):
            assert alone[key] == answer[key]


def test_an_invalid_row_harms_no_other(url: str, applications: list[Row]) -> None:
    rows = [applications[0], {"loan_id": "?"}, applications[1]]
    answers = httpx.post(f"{url}/predict/batch", json=rows).json()
    assert ["error" in answer for answer in answers] == [False, True, False]


def test_an_invalid_application_is_a_problem(url: str) -> None:
    response = httpx.post(f"{url}/predict", json={"loan_id": "x", "salary": 1})
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert "salary" in {error["field"] for error in response.json()["errors"]}


def test_without_history_a_person_decides(url: str, applications: list[Row]) -> None:
    row = {key: applications[0][key] for key in ("loan_id", "credit_limit")}
    answer = httpx.post(f"{url}/predict", json=row).json()
    assert (answer["decision"], answer["feature_source"]) == ("refer", "degraded")


def test_a_burst_loses_nothing(url: str, applications: list[Row]) -> None:
    def ask(turn: int) -> list[tuple[str, str]]:
        with httpx.Client(base_url=url) as client:
            rows = [
                {**row, "loan_id": f"B{turn}-{i}"}
                for i, row in enumerate(applications[:25])
            ]
            return [
                (row["loan_id"], client.post("/predict", json=row).json()["loan_id"])
                for row in rows
            ]

    with ThreadPoolExecutor(20) as pool:
        pairs = [pair for pairs in pool.map(ask, range(20)) for pair in pairs]
    assert len(pairs) == 500
    assert all(asked == answered for asked, answered in pairs)


def test_the_document_describes_all_routes(url: str) -> None:
    document = httpx.get(f"{url}/docs.json").json()
    assert {"/predict", "/predict/batch", "/readyz", "/metrics"} <= set(
        document["paths"]
    )
    example = document["components"]["schemas"]["Application"]["examples"][0]
    assert httpx.post(f"{url}/predict", json=example).status_code == 200
    page = httpx.get(url).text
    assert "swagger-ui" in page
    assert httpx.get(f"{url}/static_content/swagger-ui-bundle.js").status_code == 200


def test_the_log_has_no_applicant(
    url: str, server: LocalServer, applications: list[Row]
) -> None:
    httpx.post(f"{url}/predict", json=applications[7])
    httpx.post(f"{url}/predict", json={"loan_id": "T-secret"})
    log = server.log.read_text(encoding="utf-8")
    assert "T-" not in log
    assert "Error" not in log


def test_the_process_is_free_of_training_libraries(url: str) -> None:
    workers = [
        process
        for process in psutil.Process().children(recursive=True)
        if "_bentoml_impl.worker.service" in " ".join(process.cmdline())
    ]
    assert len(workers) == 1
    mapped = {Path(entry.path).as_posix() for entry in workers[0].memory_maps()}
    for library in ("pandas", "sklearn", "xgboost", "mlflow", "matplotlib"):
        assert not [path for path in mapped if f"/{library}/" in path]


def test_a_misspelt_setting_stops_the_start(
    bento: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDIT_SCORING_ROUTIN", "champion")
    done = subprocess.run(
        [sys.executable, "-m", "bentoml", "serve", bento, "--port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "did you mean CREDIT_SCORING_ROUTING?" in done.stdout + done.stderr


def test_an_altered_champion_stops_the_start_with_its_file(bento: str) -> None:
    program = (
        "import sys, bentoml; from pathlib import Path;"
        "print(bentoml.models.get('credit_scoring:v1-test').path)"
    )
    place = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.strip()
    policy = Path(place) / "artifact" / "policy.json"
    genuine = policy.read_bytes()
    try:
        policy.write_bytes(genuine + b" ")
        done = subprocess.run(
            [sys.executable, "-m", "bentoml", "serve", bento, "--port", "0"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        policy.write_bytes(genuine)
    assert done.returncode != 0
    assert "altered (SHA-256 differs): policy.json" in done.stdout + done.stderr


def test_the_bento_holds_the_document_and_no_pipeline(bento: str) -> None:
    program = f"import bentoml; print(bentoml.get({bento!r}).path)"
    place = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.strip()
    document = yaml.safe_load(
        (Path(place) / "apis" / "openapi.yaml").read_text(encoding="utf-8")
    )
    assert "/predict" in document["paths"]
    source = Path(place) / "src"
    assert (source / "credit_scoring" / "serving" / "app.py").is_file()
    assert not (source / "credit_scoring" / "pipelines").exists()
    assert json.loads((source / "bentos" / "models.json").read_bytes())["champion"]


def test_nothing_is_left_of_a_server(bento: str, tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    with LocalServer(bento, tmp_path / "log").running() as url:
        family = set(psutil.Process().children(recursive=True)) - before
        assert httpx.get(f"{url}/readyz").status_code == 200
        assert len(family) >= 2
    assert all(has_ended(process) for process in family)
