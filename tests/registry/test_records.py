import json

from credit_scoring.digests import sha256_of_json
from credit_scoring.registry.gates import artifact_gate
from credit_scoring.registry.mlflow_registry import RegisteredVersion
from credit_scoring.registry.records import promotion_record
from credit_scoring.registry.roles import JudgedCandidate, Roles

VERSION = RegisteredVersion(version=2, run_id="r2", digest="d2", family="boosting")
CANDIDATE = JudgedCandidate(
    family="boosting",
    version=2,
    run_id="r2",
    digest="d2",
    new=True,
    auc=0.78,
    gates=(artifact_gate(None),),
)


def test_the_record_names_gates_figures_verdicts_and_holders() -> None:
    record = promotion_record(
        [CANDIDATE],
        Roles(champion=2, challenger=None, why="It is the best."),
        before={"champion": None, "challenger": None},
        after={"champion": VERSION, "challenger": None},
    )
    assert record["decision"] == "It is the best."
    assert record["champion"] == {
        "version": 2,
        "family": "boosting",
        "run_id": "r2",
        "artifact_digest": "d2",
    }
    assert record["challenger"] is None
    (judged,) = record["candidates"]
    assert judged["passed"] is True
    assert judged["gates"][0]["name"] == "artifact_verified"
    json.dumps(record, allow_nan=False)


def test_a_change_of_the_record_can_be_seen() -> None:
    record = promotion_record(
        [],
        Roles(champion=None, challenger=None, why="w"),
        before={"champion": None, "challenger": None},
        after={"champion": None, "challenger": None},
    )
    digest = record.pop("digest")
    assert digest == sha256_of_json(record)
