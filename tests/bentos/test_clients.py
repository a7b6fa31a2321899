"""Clients that others made: BentoML's own, and one generated from our document."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

Row = dict[str, Any]

pytestmark = pytest.mark.end_to_end

GENERATOR = Path(sys.executable).with_name("openapi-python-client")
OTHER_FORMS = re.compile(
    r"Unsupported content type (?:application/x-ndjson|text/csv|\S+\.parquet)$", re.M
)
# In a process of its own: BentoML's client leaves its temporary folder to the exit.
ASK_BENTOMLS = """
import json, sys
from bentoml import SyncHTTPClient
from bentoml.exceptions import InvalidArgument

url, path = sys.argv[1:]
rows = json.load(open(path))
with SyncHTTPClient(url) as client:
    said = {"one": client.predict(**rows[0]), "many": client.predict_batch(rows)}
    try:
        client.predict(**rows[0] | {"loan_id": ""})
    except InvalidArgument as error:
        said["refused"] = json.loads(str(error))
    try:
        client.predict(**rows[0], unknown=1)
    except TypeError as error:
        said["unknown"] = str(error)
    said["tried"] = client.what_if(**rows[0])
print(json.dumps(said))
"""
ASK_GENERATED = """
import json, sys
from credit_scoring_client import Client
from credit_scoring_client.api.decisions import predict, predict_batch
from credit_scoring_client.models import Application, DecisionAnswer, Problem

url, path = sys.argv[1:]
row = json.load(open(path))
client = Client(base_url=url)
answer = predict.sync(client=client, body=Application.from_dict(row))
assert isinstance(answer, DecisionAnswer), answer
refused = predict.sync_detailed(
    client=client, body=Application.from_dict({**row, "loan_id": ""})
)
assert isinstance(refused.parsed, Problem), refused
print(json.dumps({"answer": answer.to_dict(), "refused": refused.parsed.to_dict()}))
"""


def lasting(answer: Row) -> Row:
    """Leave out what belongs to one asking."""
    return {k: v for k, v in answer.items() if k not in ("decision_id", "scored_at")}


def ask(program: str, url: str, content: object, folder: Path) -> Any:
    """Run a program in a folder on rows that are in a file, as an application would."""
    (folder / "rows.json").write_text(json.dumps(content))
    done = subprocess.run(
        [sys.executable, "-c", program, url, "rows.json"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_bentomls_client_has_a_method_for_each_route(
    url: str, applications: list[Row], tmp_path: Path
) -> None:
    said = ask(ASK_BENTOMLS, url, applications[:3], tmp_path)
    straight = httpx.post(f"{url}/predict", json=applications[0]).json()
    assert lasting(said["one"]) == lasting(straight)
    assert said["many"][0]["pd"] == straight["pd"]
    asked = [row["loan_id"] for row in applications[:3]]
    assert [answer["loan_id"] for answer in said["many"]] == asked
    assert [error["field"] for error in said["refused"]["errors"]] == ["loan_id"]
    assert "Arguments not found in endpoint predict" in said["unknown"]
    assert said["tried"]["pd"] == straight["pd"]
    assert said["tried"]["recorded"] is False


def test_a_generated_client_decides(
    url: str, applications: list[Row], tmp_path: Path
) -> None:
    document = tmp_path / "docs.json"
    document.write_bytes(httpx.get(f"{url}/docs.json").content)
    made = subprocess.run(
        [
            GENERATOR, "generate", "--path", document, "--meta", "none",
            "--output-path", tmp_path / "credit_scoring_client",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    # Of forms beside JSON it makes nothing, and says so; of all else it does.
    said = made.stdout + made.stderr
    assert said.count("WARNING") == len(OTHER_FORMS.findall(said)) == 4
    assert "Unable to process" not in said
    told = ask(ASK_GENERATED, url, applications[0], tmp_path)
    straight = httpx.post(f"{url}/predict", json=applications[0]).json()
    assert lasting(told["answer"]) == lasting(straight)
    assert told["refused"]["status"] == 400
