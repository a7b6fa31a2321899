import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import credit_scoring
from credit_scoring.contract.model import Contract, Role
from credit_scoring.decision_log.reader import read_decisions, read_shadows
from credit_scoring.errors import ArtifactError, DecisionLogError
from credit_scoring.replay import judges, replaying
from credit_scoring.replay.artifacts import Found
from credit_scoring.replay.replaying import Selection, replay_log

Row = dict[str, Any]
Decided = Callable[..., list[Any]]
Segment = Callable[[], Path]


@pytest.fixture
def without_history(contract: Contract) -> Row:
    assert contract.names(Role.APPLICATION) == ("credit_limit",)
    return {"loan_id": "N-1", "credit_limit": 50_000}


def test_what_the_service_decided_is_decided_again(
    decided: Decided, folder: Path, shelf: Any, applications: list[Row]
) -> None:
    answers = decided(
        ("/predict/batch", applications[:60]),
        ("/predict/batch?reasons=true&interval=true", applications[60:]),
        ("/predict", applications[0]),
        ("/predict?reasons=true", {**applications[1], "sex": 1}),
    )
    found = replay_log(folder, shelf).as_json()
    assert found["reproduced"]
    assert found["replayed"]["decisions"] == 122
    assert found["replayed"]["explained"] == 61
    assert found["differences"]["count"] == 0
    (model,) = found["models"]
    assert (model["version"], model["roles"]) == ("2", ["champion"])
    assert (model["source"], model["code"]) == ("champion", "the code present")
    kinds = {answer["decision"] for answer in [*answers[0], *answers[1]]}
    assert kinds >= {"approve", "decline"}, "the log must hold every kind"


def test_decisions_in_the_shadow_are_decided_again(
    decided: Decided, folder: Path, shelf: Any, applications: list[Row]
) -> None:
    decided(("/predict/batch", applications), routing="shadow")
    assert len(list(read_shadows(folder))) == len(applications)
    found = replay_log(folder, shelf).as_json()
    assert found["reproduced"]
    assert found["replayed"]["shadows"] == len(applications)
    by_role = {tuple(model["roles"]): model for model in found["models"]}
    assert by_role[("challenger",)]["shadows"] == len(applications)


def test_a_shadow_far_behind_its_decision_is_found(
    decided: Decided,
    folder: Path,
    shelf: Any,
    applications: list[Row],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decided(("/predict/batch", applications), routing="shadow")
    monkeypatch.setattr(replaying, "_REMEMBERED", 1)
    found = replay_log(folder, shelf).as_json()
    assert found["reproduced"]
    assert found["replayed"]["shadows"] == len(applications)


def test_an_altered_shadow_is_named(  # noqa: PLR0913, PLR0917 - all of a log
    decided: Decided,
    folder: Path,
    shelf: Any,
    applications: list[Row],
    forge: Callable[..., None],
    segment: Segment,
) -> None:
    decided(("/predict/batch", applications[:5]), routing="shadow")
    first = next(iter(read_shadows(folder)))
    assert first.entry.pd is not None
    forge(first.line, pd=first.entry.pd + 1e-15)
    found = replay_log(folder, shelf)
    assert not found.as_json()["chain"]["faults"]
    (one,) = found.differences
    assert (one.segment, one.line) == (segment().name, first.line)
    assert (one.kind, one.field) == ("shadow", "pd")


def test_a_shadow_without_a_decision_is_named(
    decided: Decided,
    folder: Path,
    shelf: Any,
    applications: list[Row],
    forge: Callable[..., None],
) -> None:
    decided(("/predict/batch", applications[:5]), routing="shadow")
    first = next(iter(read_shadows(folder)))
    forge(first.line, decision_id="0" * 32)
    (one,) = replay_log(folder, shelf).differences
    assert (one.line, one.field) == (first.line, "decision_id")
    assert one.problem == "no decision has it"


def test_decisions_without_a_history_are_referred_again(
    decided: Decided,
    folder: Path,
    shelf: Any,
    without_history: Row,
    forge: Callable[..., None],
) -> None:
    answers = decided(("/predict", without_history))
    assert answers[0]["feature_source"] == "degraded"
    found = replay_log(folder, shelf).as_json()
    assert found["reproduced"]
    assert found["replayed"]["by_feature_source"] == {"degraded": 1}
    forge(2, decision="approve", pd=0.01, reasons=[])
    fields = {one.field for one in replay_log(folder, shelf).differences}
    assert fields == {"decision", "pd", "reasons"}


def test_a_history_from_the_store_is_in_the_log(
    decided: Decided,
    folder: Path,
    shelf: Any,
    without_history: Row,
    applications: list[Row],
) -> None:
    answers = decided(
        ("/predict", without_history),
        ("/predict/batch", [without_history, applications[3]]),
        history=applications[2],
    )
    assert answers[0]["feature_source"] == "store"
    found = replay_log(folder, shelf).as_json()
    assert found["reproduced"]
    assert found["replayed"]["by_feature_source"] == {"request": 1, "store": 2}


def test_decisions_of_an_older_policy_are_decided_by_it(
    decided: Decided, folder: Path, shelf: Any, applications: list[Row]
) -> None:
    before = decided(("/predict/batch", applications), champion="former")
    after = decided(("/predict/batch", applications))
    ways = {answer["policy_version"] for answer in [*before[0], *after[0]]}
    assert len(ways) == 2
    changed = [
        b["decision"] != a["decision"] for b, a in zip(before[0], after[0], strict=True)
    ]
    assert any(changed), "the policies must differ for some applicant"
    found = replay_log(folder, shelf).as_json()
    assert found["reproduced"]
    assert {model["version"] for model in found["models"]} == {"1", "2"}


def test_a_fallback_is_decided_again_by_the_champion(
    decided: Decided, folder: Path, shelf: Any, applications: list[Row]
) -> None:
    decided(
        ("/predict/batch", applications[:10]),
        challenger=None,
        routing="split",
        challenger_share=1.0,
    )
    found = replay_log(folder, shelf).as_json()
    assert found["reproduced"]
    assert found["replayed"]["fallbacks"] == 10


def test_each_arm_is_decided_again_by_its_model(
    decided: Decided, folder: Path, shelf: Any, applications: list[Row]
) -> None:
    decided(
        ("/predict/batch", applications),
        routing="split",
        challenger_share=0.5,
        challenger_timeout_ms=60_000,
    )
    found = replay_log(folder, shelf).as_json()
    assert found["reproduced"]
    counts = {model["roles"][0]: model["decisions"] for model in found["models"]}
    assert min(counts.values()) > 20
    assert sum(counts.values()) == len(applications)


FORGERIES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "margin": ({"margin": 0.125}, {"margin"}),
    "no margin": ({"margin": None}, {"margin"}),
    "pd": ({"pd": 0.123}, {"pd"}),
    "score": ({"score": 1.0}, {"score"}),
    "band": ({"band": "Z"}, {"band"}),
    "reasons": (
        {"reasons": [{"code": "X", "feature": None, "points": None}] * 4},
        {"reasons"},
    ),
    "features": ({"features": [1.0]}, {"features"}),
    "infinite feature": ({"features": ["Infinity"] * 49}, {"features"}),
    "features that are words": ({"features": ["much"]}, {"features"}),
    "no features": ({"features": None}, {"features"}),
    "inputs": ({"inputs": 7}, {"inputs"}),
    "unknown input": ({"inputs": {"secret": 7}}, {"inputs"}),
    "wrong input": ({"inputs": {"credit_limit": "much"}}, {"inputs"}),
    "no history": ({"inputs": {"credit_limit": 50_000}}, {"feature_source"}),
    "policy": ({"policy_version": "none"}, {"policy_version"}),
    "source": ({"feature_source": "hearsay"}, {"feature_source"}),
    "interval": (
        {"pd_interval": {"low": 0.0, "high": 1.0, "level": 0.5}},
        {"pd_interval"},
    ),
    "arm": (
        {
            "model": {
                "name": "credit_scoring",
                "version": "9",
                "role": "challenger",
                "digest": "f" * 64,
            }
        },
        {"arm", "model", "models"},
    ),
}


@pytest.mark.parametrize(("changes", "fields"), FORGERIES.values(), ids=FORGERIES)
def test_a_change_under_a_chain_made_anew_is_named(  # noqa: PLR0913, PLR0917
    decided: Decided,
    folder: Path,
    shelf: Any,
    applications: list[Row],
    forge: Callable[..., None],
    segment: Segment,
    changes: dict[str, Any],
    fields: set[str],
) -> None:
    decided(("/predict/batch?reasons=true", applications[:6]))
    forge(4, **changes)
    found = replay_log(folder, shelf)
    told = found.as_json()
    assert not told["chain"]["faults"]
    assert not found.reproduced
    assert {one.field for one in found.differences} == fields
    lines = {one.line for one in found.differences if one.kind == "decision"}
    assert lines == {4}
    assert {one.segment for one in found.differences} == {segment().name}
    entry = list(read_decisions(folder))[2].entry
    text = json.dumps(told)
    assert entry.loan_id not in text
    assert "much" not in text


def test_another_decision_is_named_and_so_is_the_other_reason(
    decided: Decided,
    folder: Path,
    shelf: Any,
    applications: list[Row],
    forge: Callable[..., None],
) -> None:
    decided(("/predict/batch", applications[:40]))
    declined = next(
        one
        for one in read_decisions(folder)
        if one.entry.decision == "decline" and len(one.entry.reasons) > 1
    )
    reasons: list[Row] = [
        {"code": r.code, "feature": r.feature, "points": r.points}
        for r in declined.entry.reasons
    ]
    forge(declined.line, decision="approve", reasons=[*reasons[1:], reasons[0]])
    found = replay_log(folder, shelf).differences
    assert {one.field for one in found} == {"decision", "reasons"}
    reasons[0]["points"] -= 0.1
    forge(declined.line, decision="decline", reasons=reasons)
    (one,) = replay_log(folder, shelf).differences
    assert one.problem == "number 1 has other points now"


def test_any_flipped_byte_of_a_record_is_found(
    decided: Decided,
    folder: Path,
    shelf: Any,
    applications: list[Row],
    segment: Segment,
) -> None:
    decided(("/predict/batch", applications[:4]))
    path = segment()
    whole = path.read_bytes()
    start = whole.index(b"\n", whole.index(b"\n") + 1) + 1
    end = whole.index(b"\n", start)
    for place in range(start, end, max(1, (end - start) // 60)):
        broken = bytearray(whole)
        broken[place] ^= 1
        path.write_bytes(broken)
        faults = replay_log(folder, shelf).as_json()["chain"]["faults"]
        assert any(f.startswith(f"{path.name}, line 3: ") for f in faults), place


TAMPERINGS: dict[str, tuple[Callable[[list[bytes]], list[bytes]], int]] = {
    "removed": (lambda lines: [*lines[:2], *lines[3:]], 3),
    "inserted": (lambda lines: [*lines[:3], lines[1], *lines[3:]], 4),
    "reordered": (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], 3),
}


@pytest.mark.parametrize(("tamper", "line"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_lines_that_were_moved_are_named_and_the_rest_is_decided_again(  # noqa: PLR0913, PLR0917 - all of a log
    decided: Decided,
    folder: Path,
    shelf: Any,
    applications: list[Row],
    segment: Segment,
    tamper: Callable[[list[bytes]], list[bytes]],
    line: int,
) -> None:
    decided(("/predict/batch", applications[:6]))
    path = segment()
    path.write_bytes(b"".join(tamper(path.read_bytes().splitlines(True))))
    found = replay_log(folder, shelf)
    told = found.as_json()
    assert not found.reproduced
    assert any(
        fault.startswith(f"{path.name}, line {line}: ")
        for fault in told["chain"]["faults"]
    )
    assert told["differences"]["count"] == 0
    assert told["replayed"]["decisions"] >= 5


def test_a_decision_or_a_span_can_be_chosen(
    decided: Decided, folder: Path, shelf: Any, applications: list[Row]
) -> None:
    answers = decided(("/predict/batch", applications[:20]), routing="shadow")
    chosen = answers[0][7]
    one = replay_log(
        folder, shelf, selection=Selection(decision_id=chosen["decision_id"])
    ).as_json()
    assert one["replayed"]["decisions"] == one["replayed"]["shadows"] == 1
    assert one["chain"]["decisions"] == 20
    moment = datetime.fromisoformat(chosen["scored_at"])
    span = Selection(since=moment, until=moment + timedelta(microseconds=1))
    counts = replay_log(folder, shelf, selection=span).as_json()["replayed"]
    assert 1 <= counts["decisions"] < 20
    late = Selection(since=datetime(2200, 1, 1, tzinfo=UTC))
    assert replay_log(folder, shelf, selection=late).counts.decisions == 0


def test_a_model_that_is_nowhere_is_named_for_each_decision(
    decided: Decided, folder: Path, shelf: Any, applications: list[Row]
) -> None:
    decided(("/predict/batch", applications[:3]))
    shelf.found.clear()
    found = replay_log(folder, shelf, most_differences=2)
    told = found.as_json()
    assert told["differences"]["count"] == 3
    assert len(found.rows()) == 2
    assert "no artifact with digest" in found.rows()[0]["problem"]
    assert told["models"][0]["code"] == "none"


def test_a_model_of_other_code_is_decided_by_its_own(  # noqa: PLR0913, PLR0917 - all of a log
    decided: Decided,
    folder: Path,
    shelf: Any,
    applications: list[Row],
    tmp_path: Path,
    forge: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decided(("/predict/batch?reasons=true", applications[:30]))
    code = tmp_path / "code"
    source = Path(credit_scoring.__file__).parent
    shutil.copytree(
        source, code / source.name, ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.rmtree(code / source.name / "replay")  # code of a time before it

    def refuse(*_: Any, **__: Any) -> Any:
        raise ArtifactError("manifest.json: made with another feature version")

    monkeypatch.setattr(judges, "load_artifact", refuse)
    shelf.found = {
        digest: Found(found.folder, code, "version 2 in MLflow")
        for digest, found in shelf.found.items()
    }
    told = replay_log(folder, shelf).as_json()
    assert told["reproduced"], told
    assert told["models"][0]["code"] == "the code it was registered with"
    forge(5, score=1.0)
    (one,) = replay_log(folder, shelf).differences
    assert (one.line, one.field) == (5, "score")

    (code / source.name / "registry" / "artifact.py").write_text("1 / 0")
    (broken,) = replay_log(folder, shelf).differences
    assert "cannot be decided again" in broken.problem
    assert "ZeroDivisionError" in broken.problem

    shutil.rmtree(code)
    without = replay_log(folder, shelf).differences
    assert all("made with another feature version" in one.problem for one in without)


def test_a_log_that_is_not_there_is_refused(tmp_path: Path, shelf: Any) -> None:
    with pytest.raises(DecisionLogError, match="cannot be read"):
        replay_log(tmp_path / "nowhere", shelf)
