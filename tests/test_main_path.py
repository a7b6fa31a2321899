"""The main path on the real data: from the raw file to a decision over HTTP."""

import importlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from mlflow import MlflowClient

from credit_scoring.registry.artifact import Artifact, load_artifact
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


@pytest.fixture(scope="module")
def reason_stability() -> Any:
    """The benchmark, which the tests ask for less."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PROJECT / "tests" / "benchmarks")
        return importlib.import_module("reason_stability")


@pytest.fixture(scope="module")
def promoted(
    project: Path, environment: Mapping[str, str], reason_stability: Any
) -> Artifact:
    """The boosting model of the release, as it was packed."""
    name, _, version = reason_stability.released_model(project).partition(":")
    store = Path(environment["BENTOML_HOME"]) / "models"
    return load_artifact(store / name / version / "artifact")


@pytest.fixture(scope="module")
def declined(project: Path, promoted: Artifact, reason_stability: Any) -> Any:
    """Feature rows of those whom the promoted model declines."""
    return reason_stability.declined_features(promoted, project / reason_stability.ROWS)


def test_promoted_margins_have_xgboosts_bits_on_all_rows(
    project: Path, promoted: Artifact
) -> None:
    features = pd.read_parquet(project / "data/04_feature/features.parquet")
    x = np.array(features.drop(columns="loan_id"), np.float64, order="C")
    # Values are missing here and there in production.
    x[np.random.default_rng(8).random(x.shape) < 0.03] = np.nan
    booster = xgboost.Booster(model_file=promoted.folder / "model" / "booster.ubj")
    expected = booster.inplace_predict(x, predict_type="margin")
    found = promoted.model.margin(x).astype(np.float32)
    assert len(x) == 30_000
    assert (found.view("u4") == expected.view("u4")).all()


def test_promoted_reasons_are_shaps_in_points(
    promoted: Artifact, declined: Any, record_property: Any
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        shap = importlib.import_module("shap")
    x = declined[:: max(1, len(declined) // 40)]
    with np.load(promoted.folder / "background.npz", allow_pickle=False) as file:
        background = file["features"]
    assert len(background) >= 1000
    explainer = shap.TreeExplainer(
        xgboost.Booster(model_file=promoted.folder / "model" / "booster.ubj"),
        # All rows: by default it would take a hundred of them.
        data=shap.maskers.Independent(background, max_samples=len(background)),
        feature_perturbation="interventional",
        model_output="raw",
    )
    expected = explainer.shap_values(x)
    off = float(np.abs(promoted.model.contributions(x) - expected).max())
    record_property("largest difference to shap in log-odds", off)
    assert off < 1e-5
    grading, groups = promoted.engine.grading, promoted.engine.groups
    points = -expected * grading.calibration.slope * grading.scaling.factor
    by_code = pd.DataFrame(points.T).groupby(list(groups.codes)).sum().T
    reported = groups.explain(
        promoted.model.contributions(x),
        grading.calibration.slope * grading.scaling.factor,
    )
    for (_, lost), reasons in zip(by_code.iterrows(), reported, strict=True):
        strongest = lost.nsmallest(len(reasons))
        # To 0.05 points, by which reported points are rounded.
        found = [reason.points for reason in reasons]
        assert found == pytest.approx(strongest.tolist(), abs=0.051)


def test_reasons_stay_the_same_against_resampled_backgrounds(
    promoted: Artifact, declined: Any, reason_stability: Any, record_property: Any
) -> None:
    found = reason_stability.measure(promoted, declined[:2000], draws=2)
    print(*reason_stability.lines(found, 2000), sep="\n")  # noqa: T201 - shown by -s
    for one in found:
        record_property(f"same four reasons, K = {one.size}", one.same_set)
    assert [one.size for one in found[:4]] == [100, 300, 600, 1000]
    whole = found[-1]
    assert whole.same_set > 0.9
    assert whole.same_set >= found[0].same_set
    assert whole.furthest_points < found[0].furthest_points


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
