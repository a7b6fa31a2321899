"""Every command of the how-to, on a file that nobody has prepared."""

import json
import os
import re
import shlex
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from credit_scoring.serving.local_server import LocalServer

pytestmark = pytest.mark.end_to_end

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "bring-your-own-data.md"
COMMANDS = re.findall(r"```sh\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.S)
# A search of two trials instead of twenty, as everywhere in tests.
SMALL = (
    "boosting.n_trials=2,boosting.max_rounds=100,scorecard.n_trials=2,"
    "evaluation.bootstrap.replicates=20,"
    "promotion.gates.profit.bootstrap.replicates=20,"
    "promotion.gates.latency.median_ms=1000"
)
ROWS = 4000


def european(number: float) -> str:
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


def write_messy_file(path: Path) -> None:
    """A lender's export: semicolons, Windows-1252, decimal commas, oddities."""
    random = np.random.default_rng(8)
    income = random.lognormal(7.8, 0.4, ROWS)
    savings = np.where(random.random(ROWS) < 0.2, -999, random.integers(0, 9000, ROWS))
    used = random.random(ROWS)
    work = random.choice(["< 1 year", "3 years", "10+ years"], ROWS)
    risk = 2.5 * used - income / 1500 - (savings > 4000) + 0.8 * (work == "< 1 year")
    bad = random.random(ROWS) < 1 / (1 + np.exp(-risk + 0.4))
    days = random.choice(pd.date_range("2019-01-01", "2022-12-31"), ROWS)
    table = pd.DataFrame(
        {
            "CustomerNo": [f"K-{n:05d}" for n in range(ROWS)],
            "Status": np.where(bad, "defaulted", "repaid"),
            "Monthly Income (EUR)": [european(value) for value in income],
            "Savings": savings.astype(str),
            "Limit used": [european(100 * share).replace(".", "") for share in used],
            "Employed": np.where(random.random(ROWS) < 0.05, "n/a", work),
            "Gender": random.choice(["f", "m", ""], ROWS, p=[0.495, 0.495, 0.01]),
            "Age": random.integers(18, 80, ROWS),
            "Opened": pd.Series(days).dt.strftime("%d.%m.%Y"),
            "Purpose": random.choice(["Auto", "Möbel", 'Reise; "Urlaub"'], ROWS),
            "Recovered": np.where(bad, [european(v) for v in income / 3], "0,00"),
            "Currency": "EUR",
            "Notes": [f"call {n} again, ask for Müller" for n in range(ROWS)],
        }
    )
    table.loc[:199, "Status"] = "running"
    table.loc[300, "Savings"] = "many"
    table = pd.concat([table, table.iloc[[500]]])
    table.to_csv(path, sep=";", index=False, encoding="cp1252")


def answer_the_questions(path: Path) -> dict[str, str]:
    """Do what a person does: read, decide, delete the questions."""
    questions: dict[str, str] = yaml.safe_load(path.read_text())["contract"][
        "undecided"
    ]
    text = path.read_text()
    assert text.count("  undecided:\n") == 1
    before, _, rest = text.partition("  undecided:\n")
    lines = rest.splitlines(keepends=True)
    path.write_text(before + "".join(lines[len(questions) :]))
    return questions


def test_the_page_leads_from_an_unknown_file_to_a_served_bento(
    bare_project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder: Path = bare_project.folder
    write_messy_file(folder / "loans.csv")
    propose, refused, run, serve = map(shlex.split, COMMANDS)
    assert propose[0] == "python"
    done = bare_project.python(*propose[1:])
    assert done.returncode == 0, done.stderr
    assert "6 questions wait" in done.stdout

    assert (refused[0], run[0]) == ("kedro", "kedro")
    done = bare_project.kedro(*refused[1:])
    assert done.returncode != 0
    assert "6 questions wait for a person" in " ".join(done.stdout.split())

    contract = folder / "conf" / "my_lender" / "parameters_contract.yml"
    questions = answer_the_questions(contract)
    asked = {"Status", "CustomerNo", "Savings", "Gender", "Age", "Recovered"}
    assert set(questions) == asked
    done = bare_project.kedro(*run[1:], "--params", SMALL)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]

    data = folder / "data" / "my_lender"
    summary = json.loads(
        (data / "02_intermediate/validation_summary.json").read_bytes()
    )
    assert summary["set_aside_rows"] == 200
    # The text among numbers, and one row of two that are the same.
    assert summary["rejected_rows"] == 2
    comparison = json.loads((data / "08_reporting/comparison.json").read_bytes())
    assert comparison["candidates"]["boosting"]["auc"]["value"] > 0.7

    assert serve[:2] == ["bentoml", "serve"]
    monkeypatch.setenv("BENTOML_HOME", str(folder / "bentoml"))
    monkeypatch.setenv("CREDIT_SCORING_DECISION_LOG_DIR", str(tmp_path / "log"))
    for name in [n for n in os.environ if n.startswith("COV")]:
        monkeypatch.delenv(name)
    with LocalServer(serve[2], tmp_path / "server.log").running() as url:
        answer = predict(url, example(url))
    assert answer["model"]["name"] == "my_lender"
    assert "what we know of it goes with higher risk" in answer["reasons"][0]["text"]


def example(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/docs.json", timeout=10) as reply:  # noqa: S310
        schemas = json.load(reply)["components"]["schemas"]
    body: dict[str, Any] = schemas["Application"]["examples"][0]
    assert body["purpose"] in ("Auto", "Möbel", 'Reise; "Urlaub"')
    return body | {"limit_used": 99.0, "savings": -999}


def predict(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310
        f"{url}/predict?reasons=true",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
        answer: dict[str, Any] = json.load(reply)
    return answer


def test_an_environment_that_is_there_is_not_overwritten(bare_project: Any) -> None:
    (bare_project.folder / "loans.csv").write_text("id,bad,x\n1,0,2\n2,1,3\n")
    words = shlex.split("loans.csv --id id --target bad --environment test")
    done = bare_project.python("-m", "credit_scoring.contract_proposal", *words)
    assert done.returncode == 1
    assert "conf/test is there already" in done.stderr


def test_without_an_environment_the_contract_alone_is_written_out(
    bare_project: Any,
) -> None:
    (bare_project.folder / "loans.csv").write_text(
        "id,bad,x\n1,0,2\n2,1,3\n3,0,3\n4,1,2\n"
    )
    words = shlex.split("loans.csv --id id --target bad")
    done = bare_project.python("-m", "credit_scoring.contract_proposal", *words)
    assert done.returncode == 0
    assert yaml.safe_load(done.stdout)["contract"]["columns"]["x"]["type"] == "integer"
