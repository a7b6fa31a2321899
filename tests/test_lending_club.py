"""A second data set by configuration alone: `kedro run --env lending_club`."""

import gzip
import json
import os
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from credit_scoring.serving.local_server import LocalServer

pytestmark = pytest.mark.end_to_end

VARIABLE = "CREDIT_SCORING_LENDING_CLUB_FILE"
REAL = os.environ.get(VARIABLE)
needs_the_real_file = pytest.mark.skipif(
    REAL is None, reason=f"{VARIABLE} does not name the LendingClub file"
)
FEATURES = "ingestion,validation,feature_engineering"
SMALL = (
    "boosting.n_trials=2,boosting.max_rounds=150,scorecard.n_trials=2,"
    "evaluation.bootstrap.replicates=20"
)
# A few thousand made-up rows make a model, not a good one.
LOW_GATES = (
    "promotion.gates.minimum_auc=0.55,"
    "promotion.gates.calibration.slope.low=0.2,"
    "promotion.gates.calibration.slope.high=5,"
    "promotion.gates.calibration.in_the_large.low=-3,"
    "promotion.gates.calibration.in_the_large.high=3,"
    "promotion.gates.stability.score_psi=1,promotion.gates.stability.feature_psi=9,"
    "promotion.gates.profit.minimum=-1,promotion.gates.profit.bootstrap.replicates=20,"
    "promotion.gates.latency.median_ms=1000,"
    "decision.background.minimum_rows=50"
)
LEAK = '''
@feature(direction=0, reason="UTILISATION")
def paid_in_all(total_pymnt: Values) -> Values:
    """Paid in all."""
    return total_pymnt + 0.0


FEATURES = (paid_in_all,'''
COLUMN = """
  columns:
    total_pymnt:
      source: total_pymnt
      type: number
      role: application
      description: Paid in all.
"""


def made_up_loans(rows: int = 5000) -> pd.DataFrame:
    """Loans as LendingClub's file writes them, with the outcome in the inputs."""
    random = np.random.default_rng(5)
    amount = random.integers(5, 350, rows) * 100
    income = np.round(random.lognormal(11, 0.5, rows))
    used = np.round(random.random(rows) * 110, 2)
    enquiries = random.poisson(1, rows)
    long = random.random(rows) < 0.25
    risk = amount / income + used / 60 + 0.5 * enquiries + 1.2 * long - 3.8
    bad = random.random(rows) < 1 / (1 + np.exp(-risk))
    months = pd.date_range("2009-01-01", "2011-12-01", freq="MS")
    issued = pd.Series(random.choice(months, rows))
    table = pd.DataFrame(
        {
            "id": np.arange(1000, 1000 + rows),
            "loan_amnt": amount,
            "term": np.where(long, " 60 months", " 36 months"),
            "int_rate": "10.65%",
            "emp_length": random.choice(
                ["10+ years", "< 1 year", "n/a", "3 years"], rows
            ),
            "home_ownership": random.choice(["RENT", "OWN", "MORTGAGE"], rows),
            "annual_inc": income,
            "issue_d": issued.dt.strftime("%b-%Y"),
            "loan_status": np.where(bad, "Charged Off", "Fully Paid"),
            "purpose": random.choice(["car", "small_business", "other"], rows),
            "dti": np.round(random.random(rows) * 30, 2),
            "delinq_2yrs": random.poisson(0.2, rows),
            "inq_last_6mths": enquiries,
            "mths_since_last_delinq": random.choice(["", "0", "17"], rows),
            "mths_since_last_record": "",
            "open_acc": random.integers(1, 20, rows),
            "pub_rec": random.poisson(0.05, rows),
            "revol_bal": random.integers(0, 40000, rows),
            "revol_util": [f"{share:.2f}%" for share in used],
            "total_acc": random.integers(20, 50, rows),
            "total_pymnt": np.round(amount * np.where(bad, 0.4, 1.2), 2),
            "pub_rec_bankruptcies": 0,
        }
    ).astype("str")
    table.loc[:99, "loan_status"] = "Current"
    junk = pd.DataFrame([{"id": "Loans that do not meet the credit policy"}])
    return pd.concat([table, junk]).fillna("")


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    path = tmp_path / "loans of a lender.csv.gz"
    made_up_loans().to_csv(path, index=False)
    return path


def offer_total_payment(project: Any, *, emptied: bool) -> None:
    """Offer what was paid in all to a feature, in the project's copy."""
    path = project.folder / "conf/lending_club/parameters_contract.yml"
    text = path.read_text().replace("\n  columns:\n", COLUMN, 1)
    if emptied:
        before, _, rest = text.partition("  known_after_decision:\n")
        text = before + "  left_out:\n" + rest.partition("  left_out:\n")[2]
    path.write_text(text)
    module = project.folder / "src/credit_scoring/features/lending_club_credit.py"
    module.write_text(module.read_text().replace("\nFEATURES = (", LEAK, 1))


def kedro_run(project: Any, *arguments: str) -> Any:
    return project.kedro("run", "--env", "lending_club", *arguments)


def test_without_the_file_nothing_runs(
    bare_project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    done = kedro_run(bare_project)
    assert done.returncode != 0
    assert (
        f"the environment variable {VARIABLE} is not set" in done.stdout + done.stderr
    )
    monkeypatch.setenv(VARIABLE, "/nowhere/loans.csv")
    done = kedro_run(bare_project)
    said = " ".join((done.stdout + done.stderr).split())
    assert "raw_applications (/nowhere/loans.csv) is not there" in said
    assert not (bare_project.folder / "data" / "lending_club").exists()


def test_from_a_file_to_a_served_decision_with_reasons(
    bare_project: Any, made_up: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, str(made_up))
    done = kedro_run(bare_project, "--params", f"{SMALL},{LOW_GATES}")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    data = bare_project.folder / "data" / "lending_club"
    summary = json.loads(
        (data / "02_intermediate" / "validation_summary.json").read_bytes()
    )
    assert (summary["rejected_rows"], summary["set_aside_rows"]) == (1, 100)
    splits = pd.read_parquet(data / "05_model_input" / "splits.parquet")
    assert splits["split"].value_counts().idxmax() == "train"
    vintages = pd.read_csv(data / "08_reporting" / "boosting" / "vintage_table.csv")
    assert vintages["vintage"].iloc[[0, -1]].tolist() == ["2009Q1", "2011Q4"]
    # Nothing of it is where the other data set's things are.
    assert not (bare_project.folder / "bentos" / "models.json").exists()
    assert not list((bare_project.folder / "data").glob("0[2-9]*"))
    release = json.loads((data / "09_release/releases/current.json").read_bytes())
    assert release["bento"].startswith("credit_scoring_lending_club:")
    monkeypatch.setenv("BENTOML_HOME", str(bare_project.folder / "bentoml"))
    monkeypatch.setenv("CREDIT_SCORING_DECISION_LOG_DIR", str(tmp_path / "log"))
    # A contract without history has no use for a store of histories.
    monkeypatch.setenv("CREDIT_SCORING_REDIS_URL", "redis://127.0.0.1:1/0")
    with LocalServer(release["bento"], tmp_path / "server.log").running() as url:
        for body in examples(url):
            assert predict(url, body)["decision"]
        answer = predict(url, {**body, "loan_amount": 30000, "term_months": 60})
    assert answer["model"]["name"] == "credit_scoring_lending_club"
    assert answer["feature_source"] == "request"
    assert answer["reasons"][0]["text"]


def read(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as reply:  # noqa: S310
        return json.load(reply)


def examples(url: str) -> list[dict[str, Any]]:
    """The example of the OpenAPI document and those of the contract, as they are."""
    schemas = read(f"{url}/docs.json")["components"]["schemas"]
    return [*schemas["Application"]["examples"], *read(f"{url}/contract")["examples"]]


def predict(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310
        f"{url}/predict?reasons=true",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
        answer: dict[str, Any] = json.load(reply)
    return answer


def test_a_column_known_after_the_decision_stops_the_run_before_any_node(
    bare_project: Any, made_up: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(made_up))
    offer_total_payment(bare_project, emptied=False)
    done = kedro_run(bare_project, "--pipelines", FEATURES)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0
    assert "known only after the decision: total_pymnt" in said
    assert "[ 1/" not in said


@pytest.mark.parametrize(
    "file", ["made up", pytest.param("real", marks=needs_the_real_file)]
)
def test_with_the_list_emptied_its_power_stops_the_run_before_training(
    bare_project: Any, made_up: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setenv(VARIABLE, str(made_up) if file == "made up" else str(REAL))
    offer_total_payment(bare_project, emptied=True)
    done = kedro_run(bare_project, "--pipelines", f"{FEATURES},training")
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0
    assert "1 features tell goods from bads implausibly well alone: paid_in_all" in said
    assert "feature_engineering.leakage.maximum_auc, which is 0.7" in said
    assert "fit candidate" not in said
    power = bare_project.folder / "data/lending_club/05_model_input"
    table = pd.read_csv(power / "single_feature_power.csv", index_col="feature")
    assert table["low"]["paid_in_all"] > 0.7
    assert table["auc"].drop("paid_in_all").max() < 0.7


@needs_the_real_file
def test_the_real_file_reaches_its_figure_out_of_time(
    bare_project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = kedro_run(bare_project, "--params", SMALL.replace("=150", "=400"))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    data = bare_project.folder / "data" / "lending_club"
    metrics = json.loads((data / "08_reporting/comparison.json").read_bytes())
    assert metrics["candidates"]["boosting"]["auc"]["value"] >= 0.70
    assert (metrics["rows"], metrics["bads"]) == (11672, 1927)
    summary = json.loads(
        (data / "02_intermediate" / "validation_summary.json").read_bytes()
    )
    assert (summary["accepted_rows"], summary["set_aside_rows"]) == (41703, 828)
    # Two lines that are no loans, and four loans without an income.
    assert summary["rejected_rows"] == 6
    with gzip.open(str(REAL)) as raw:
        first = raw.readline()
    copies = [p for p in bare_project.folder.rglob("*.gz") if first in p.read_bytes()]
    assert not copies
