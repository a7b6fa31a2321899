import getpass
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from credit_scoring.digests import sha256_of_json
from credit_scoring.errors import PromotionError
from credit_scoring.registry.gates import artifact_gate
from credit_scoring.registry.records import (
    ACTOR,
    Change,
    actor,
    digest_fault,
    record_fault,
    require_record,
    write_record,
)
from credit_scoring.registry.roles import JudgedCandidate
from credit_scoring.registry.signing import Signer, TrustedKeys, key_id
from credit_scoring.registry.versions import RegisteredVersion

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
CHANGE = Change(
    model="credit_scoring",
    kind="promotion",
    decision="It is the best",
    before={"champion": None, "challenger": None},
    after={"champion": VERSION, "challenger": None},
    candidates=[CANDIDATE],
)
SIGNER = Signer(Ed25519PrivateKey.generate())
TRUSTED = TrustedKeys({key_id(SIGNER.public_key): SIGNER.public_key})


@pytest.fixture
def record() -> dict[str, Any]:
    return write_record(CHANGE, SIGNER)


def test_the_record_names_gates_figures_verdicts_and_holders(
    record: dict[str, Any],
) -> None:
    assert record["decision"] == "It is the best"
    assert record["champion"] == {
        "version": 2,
        "family": "boosting",
        "run_id": "r2",
        "artifact_digest": "d2",
    }
    assert record["challenger"] is None
    assert record["previous"] is None
    (judged,) = record["candidates"]
    assert judged["passed"] is True
    assert judged["gates"][0]["name"] == "artifact_verified"
    json.dumps(record, allow_nan=False)


def test_a_record_is_believed_after_a_way_through_json(record: dict[str, Any]) -> None:
    read = json.loads(json.dumps(record, indent=2))
    assert record_fault(read, TRUSTED) is None
    require_record(read, TRUSTED)


def test_a_change_of_any_part_can_be_seen(record: dict[str, Any]) -> None:
    for name in record:
        altered = {**record, name: "other"}
        assert record_fault(altered, TRUSTED) is not None, name
    added = {**record, "note": "harmless"}
    assert "altered" in str(digest_fault(added))


def test_whoever_mends_the_digest_cannot_mend_the_signature(
    record: dict[str, Any],
) -> None:
    altered = {**record, "decision": "It is the worst"}
    body = {k: v for k, v in altered.items() if k not in {"digest", "signature"}}
    altered["digest"] = sha256_of_json(body)
    assert digest_fault(altered) is None
    with pytest.raises(PromotionError, match=r"cannot be believed: .* does not hold"):
        require_record(altered, TRUSTED)


def test_the_signature_of_a_stranger_is_not_believed() -> None:
    stranger = Signer(Ed25519PrivateKey.generate())
    fault = record_fault(write_record(CHANGE, stranger), TRUSTED)
    assert "which is not trusted" in str(fault)


def test_what_json_cannot_say_is_an_alteration(record: dict[str, Any]) -> None:
    assert "altered" in str(digest_fault({**record, "actor": float("nan")}))
    assert "altered" in str(digest_fault({}))


def test_the_actor_is_named_by_the_environment_or_is_the_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(ACTOR, "model risk")
    assert actor() == "model risk"
    monkeypatch.delenv(ACTOR)
    monkeypatch.setattr(getpass, "getuser", lambda: "ana")
    assert actor() == "ana"

    def nobody() -> str:
        raise OSError

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert actor() == "unknown"
