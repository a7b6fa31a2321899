"""The main path on the real data: from the raw file to a decision over HTTP."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow import MlflowClient

from credit_scoring.serving.local_server import LocalServer

pytestmark = pytest.mark.end_to_end

PROJECT = Path(__file__).parents[1]
PARTS = ("bentofile.yaml", "bentos", "conf", "data/01_raw", "pyproject.toml", "src")
MADE = shutil.ignore_patterns(
    "releases", "models.json", "promotion_record.json", "*.egg-info", "local"
)
INPUTS = ("loan_id", "credit_limit", "repayment_", "bill_amount_", "payment_amount_")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a copy of the project, in a path with a space."""
    copy = tmp_path_factory.mktemp("a project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(copy / "src"))
        patch.setenv("BENTOML_HOME", str(tmp_path_factory.mktemp("bento ml")))
        patch.setenv("PWD", str(copy))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        for name in [n for n in os.environ if n.startswith("COV")]:
            patch.delenv(name)
        yield dict(os.environ)


def kedro_run(environment: Mapping[str, str]) -> str:
    """Run the default pipelines with small budgets; give what is printed."""
    done = subprocess.run(
        [sys.executable, "-m", "kedro", "run", "--env", "test"],
        cwd=environment["PWD"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Warning" not in done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def printed(environment: Mapping[str, str]) -> str:
    """What a first `kedro run` prints."""
    for part in PARTS:
        source, target = PROJECT / part, Path(environment["PWD"]) / part
        if source.is_file():
            shutil.copy2(source, target)
        else:
            shutil.copytree(source, target, ignore=MADE)
    return kedro_run(environment)


@pytest.fixture(scope="module")
def project(environment: Mapping[str, str], printed: str) -> Path:
    """The project after a first run."""
    assert printed
    return Path(environment["PWD"])


def registry(project: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{project / 'mlflow.db'}")


def aliases(project: Path) -> dict[str, int]:
    found = registry(project).get_registered_model("credit_scoring").aliases
    return {alias: int(version) for alias, version in found.items()}


def test_a_run_closes_with_one_readable_table(printed: str) -> None:
    for expected in ("AUC", "Champion", "Challenger", "Bento", "30,000 accepted"):
        assert expected in printed


def test_both_candidates_are_registered_and_both_aliases_set(project: Path) -> None:
    found = registry(project).search_model_versions("name='credit_scoring'")
    assert {version.tags["family"] for version in found} == {"boosting", "scorecard"}
    assert sorted(aliases(project)) == ["challenger", "champion"]
    assert sorted(aliases(project).values()) == [1, 2]


def test_the_served_decision_has_the_bits_of_the_pipeline(project: Path) -> None:
    release = json.loads((project / "bentos/releases/current.json").read_bytes())
    family = release["versions"]["champion"]["family"]
    outputs = project / "data/07_model_output" / family
    expected = pd.read_parquet(outputs / "predictions.parquet").set_index("loan_id")
    rows = pd.read_parquet(
        project / "data/02_intermediate/validated_applications.parquet"
    )
    rows = rows.head(500)[[c for c in rows.columns if c.startswith(INPUTS)]]
    server = LocalServer(bento=release["bento"], log=project / "server.log")
    with server.running() as url:
        decisions = post(f"{url}/predict/batch", rows.to_dict("records"))
    assert [d["loan_id"] for d in decisions] == rows["loan_id"].tolist()
    assert [d["pd"] for d in decisions] == expected.loc[rows["loan_id"], "pd"].tolist()
    assert {d["decision"] for d in decisions} == {"approve", "refer", "decline"}
    assert all(d["reasons"] for d in decisions if d["decision"] != "approve")


def post(url: str, value: Any) -> Any:
    request = urllib.request.Request(  # noqa: S310 - a fixed http address
        url, json.dumps(value).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def test_nothing_on_the_way_is_a_pickle(
    project: Path, environment: Mapping[str, str]
) -> None:
    kept = [
        path
        for place in (project / "mlruns", Path(environment["BENTOML_HOME"]))
        for path in place.rglob("*")
        if path.suffix in {".pkl", ".pickle", ".joblib", ".cloudpickle"}
    ]
    assert not kept


def test_an_unchanged_rerun_registers_nothing_new(
    project: Path, environment: Mapping[str, str]
) -> None:
    before = aliases(project)
    kedro_run(environment)
    assert aliases(project) == before
    assert len(registry(project).search_model_versions("name='credit_scoring'")) == 2
