"""Roles and their evidence, in a real MLflow store with real processes."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from credit_scoring.errors import PromotionError, RollbackRefusedError
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.artifact_writing import ArtifactContents, write_artifact
from credit_scoring.registry.gates import artifact_gate
from credit_scoring.registry.mlflow_registry import CandidateLog, MlflowRegistry
from credit_scoring.registry.promoting import Promotions, champion_at, history_rows
from credit_scoring.registry.promotion_access import open_promotions
from credit_scoring.registry.roles import JudgedCandidate
from credit_scoring.registry.signing import SIGNING_KEY_FILE, load_signer

LOG_NAME = "credit_scoring_promotions"

pytestmark = pytest.mark.usefixtures("mlflow_store")

# What a process of its own does: argv is version, champion judged against, moment.
PROMOTE = """
import os, signal, sys, time
from pathlib import Path
import mlflow
from credit_scoring.registry.gates import artifact_gate
from credit_scoring.registry.mlflow_registry import (MlflowRegistry)
from credit_scoring.registry.promotion_access import open_promotions
from credit_scoring.registry.promotion_log import PromotionLog
from credit_scoring.registry.roles import JudgedCandidate

store, version, against, fault = sys.argv[1:5]
mlflow.set_tracking_uri(f"sqlite:///{store}/mlflow.db")
mlflow.set_experiment(experiment_id="1")

def killed(*arguments, **more):
    os.kill(os.getpid(), signal.SIGKILL)

def waiting(real):
    def append(self, record, pages):
        Path(store, f"ready-{version}").touch()
        while not Path(store, "go").exists():
            time.sleep(0.01)
        return real(self, record, pages)
    return append

def second_call_kills(real):
    calls = []
    def set_alias(self, alias, version):
        calls.append(alias)
        return killed() if len(calls) == 2 else real(self, alias, version)
    return set_alias

if fault == "before the record":
    PromotionLog.append = killed
elif fault == "before the aliases":
    MlflowRegistry.set_alias = killed
elif fault == "between the aliases":
    MlflowRegistry.set_alias = second_call_kills(MlflowRegistry.set_alias)
elif fault == "wait":
    PromotionLog.append = waiting(PromotionLog.append)
open_promotions("credit_scoring").promote([JudgedCandidate(
    family="boosting", version=int(version), run_id="r", digest=f"d{version}", new=True,
    against=int(against) or None, auc=0.8, gates=(artifact_gate(None),),
)])
"""


def candidate(version: int, against: int | None, *, good: bool = True) -> Any:
    return JudgedCandidate(
        family="boosting",
        version=version,
        run_id="r",
        digest=f"d{version}",
        new=True,
        against=against,
        auc=0.8,
        gates=(artifact_gate(None if good else "a fault"),),
    )


@pytest.fixture
def promotions() -> Promotions:
    """Promotions over four registered versions that nobody has a role among."""
    client = MlflowClient()
    client.create_registered_model("credit_scoring")
    for number in range(1, 5):
        client.create_model_version(
            "credit_scoring",
            source="models/none",
            tags={"artifact_digest": f"d{number}", "family": "boosting"},
        )
    return open_promotions("credit_scoring")


def roles() -> tuple[int | None, int | None]:
    registry = MlflowRegistry()
    champion, challenger = registry.holder("champion"), registry.holder("challenger")
    return (
        champion.version if champion else None,
        challenger.version if challenger else None,
    )


def start(store: Path, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROMOTE, str(store), *map(str, arguments)],
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_promotion_is_recorded_signed_and_then_done(promotions: Promotions) -> None:
    record = promotions.promote([candidate(1, None)])
    assert roles() == (1, None)
    assert promotions.log.records() == [record]
    entry = MlflowClient().get_model_version(LOG_NAME, "1")
    assert entry.tags["champion"] == "1"
    assert entry.description == record["decision"]
    run = MlflowClient().get_run(str(entry.run_id))
    files = MlflowClient().list_artifacts(run.info.run_id, "promotion")
    assert {file.path for file in files} == {
        "promotion/promotion_record.json",
        "promotion/promotion_record.html",
    }


def test_records_follow_each_other(promotions: Promotions) -> None:
    first = promotions.promote([candidate(1, None)])
    second = promotions.promote([candidate(2, 1)])
    third = promotions.promote([candidate(3, 2, good=False)])
    assert [r["previous"] for r in promotions.log.records()] == [
        None,
        first["digest"],
        second["digest"],
    ]
    assert third["champion"]["version"] == 2
    assert third["candidates"][0]["passed"] is False
    assert roles() == (2, 1)


def test_a_record_that_was_sent_twice_stands_once(
    promotions: Promotions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As MLflow's client does when the answer is lost on a broken connection."""
    once = MlflowClient.create_model_version

    def sent_again(self: MlflowClient, *words: Any, **more: Any) -> Any:
        once(self, *words, **more)
        return once(self, *words, **more)

    monkeypatch.setattr(MlflowClient, "create_model_version", sent_again)
    first = promotions.promote([candidate(1, None)])
    second = promotions.promote([candidate(2, 1)])
    assert promotions.log.records() == [first, second]
    assert roles() == (2, 1)


def test_whoever_was_judged_against_another_champion_is_refused(
    promotions: Promotions,
) -> None:
    promotions.promote([candidate(1, None)])
    promotions.promote([candidate(2, 1)])
    with pytest.raises(PromotionError, match=r"judged against champion 1.* is 2 now"):
        promotions.promote([candidate(3, 1)])
    assert roles() == (2, 1)
    assert len(promotions.log.records()) == 2


def test_of_two_promotions_at_once_exactly_one_wins(
    promotions: Promotions, mlflow_store: Path
) -> None:
    promotions.promote([candidate(1, None)])
    processes = {n: start(mlflow_store, n, 1, "wait") for n in (2, 3)}
    while len(list(mlflow_store.glob("ready-*"))) < 2:
        assert all(p.poll() is None for p in processes.values())
    (mlflow_store / "go").touch()
    said = {n: p.communicate(timeout=120)[1] for n, p in processes.items()}
    (winner,) = [n for n, p in processes.items() if p.returncode == 0]
    (loser,) = set(processes) - {winner}
    assert "another promotion was recorded" in said[loser]
    assert roles() == (winner, 1)
    records = promotions.log.records()
    assert [r["champion"]["version"] for r in records] == [1, winner]
    assert len(MlflowClient().search_model_versions(f"name='{LOG_NAME}'")) == 3
    # The log goes on after the void entry.
    promotions.promote([candidate(4, winner)])
    assert roles() == (4, winner)


@pytest.mark.parametrize(
    ("fault", "left", "repaired"),
    [
        ("before the record", (1, None), (1, None)),
        ("before the aliases", (1, None), (2, 1)),
        ("between the aliases", (2, None), (2, 1)),
    ],
)
def test_what_a_kill_leaves_is_repaired_by_the_next_promotion(
    fault: str,
    left: tuple[int | None, int | None],
    repaired: tuple[int | None, int | None],
    promotions: Promotions,
    mlflow_store: Path,
) -> None:
    promotions.promote([candidate(1, None)])
    process = start(mlflow_store, 2, 1, fault)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    assert roles() == left
    promotions.settle()
    assert roles() == repaired
    champion = repaired[0]
    promotions.promote([candidate(3, champion)])
    assert roles() == (3, champion)


def test_an_alias_that_was_moved_by_hand_stops_promotion(
    promotions: Promotions,
) -> None:
    promotions.promote([candidate(1, None)])
    MlflowRegistry().set_alias("champion", 4)
    with pytest.raises(PromotionError, match=r"is on version 4, which .* by hand"):
        promotions.promote([candidate(2, 4)])
    assert roles() == (4, None)
    MlflowRegistry().set_alias("champion", 1)
    promotions.promote([candidate(2, 1)])
    assert roles() == (2, 1)


def test_an_altered_record_stops_promotion(
    promotions: Promotions, mlflow_store: Path
) -> None:
    promotions.promote([candidate(1, None)])
    (path,) = mlflow_store.rglob("promotion_record.json")
    genuine = path.read_text()
    path.write_text(genuine.replace('"actor":"', '"actor":"not '))
    with pytest.raises(PromotionError, match="cannot be believed: it was altered"):
        promotions.promote([candidate(2, 1)])
    path.unlink()
    with pytest.raises(PromotionError, match=r"record 1 of .* cannot be read from run"):
        promotions.settle()
    path.write_text(genuine)
    MlflowClient().set_model_version_tag(LOG_NAME, "1", "digest", "other")
    with pytest.raises(PromotionError, match="entry and its file do not agree"):
        promotions.settle()


def test_a_record_signed_by_nobody_trusted_stops_promotion(
    promotions: Promotions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promotions.promote([candidate(1, None)])
    load_signer({}, tmp_path)
    other = tmp_path / "conf" / "local" / "promotion_signing_key.pem"
    monkeypatch.setenv(SIGNING_KEY_FILE, str(other))
    with pytest.raises(PromotionError, match="which is not trusted"):
        open_promotions("credit_scoring").settle()


def registered(folder: Path, contents: ArtifactContents, card: str) -> int:
    from dataclasses import replace

    write_artifact(folder, replace(contents, model_card=card))
    log = CandidateLog(parameters={}, metrics={}, data_source="x.csv", reports={})
    return MlflowRegistry().log_candidate(load_artifact(folder), log).version


@pytest.fixture
def two_champions(contents: ArtifactContents, tmp_path: Path) -> Promotions:
    """Promotions with version 1, then 2 as champion, both with real artifacts."""
    opened = open_promotions("credit_scoring")
    for number in (1, 2):
        version = registered(tmp_path / str(number), contents, f"Card {number}.")
        known = {v.version: v for v in MlflowRegistry().versions()}[version]
        judged = candidate(version, None if number == 1 else 1)
        opened.promote([judged.model_copy(update={"digest": known.digest})])
    return opened


def test_a_rollback_restores_the_champion_and_leaves_evidence(
    two_champions: Promotions,
) -> None:
    record = two_champions.roll_back(why="declines rose")
    # Who is rolled back decides on nobody, not even as challenger.
    assert roles() == (1, None)
    assert record["kind"] == "rollback"
    assert record["decision"].endswith("in place of version 2: declines rose")
    assert two_champions.log.records()[-1] == record
    back = two_champions.roll_back(why="it was not the model", version=2)
    assert back["champion"]["version"] == 2
    assert roles() == (2, None)


def test_a_rollback_to_what_never_was_champion_is_refused(
    two_champions: Promotions, contents: ArtifactContents, tmp_path: Path
) -> None:
    version = registered(tmp_path / "3", contents, "Card 3.")
    with pytest.raises(RollbackRefusedError, match="no record names champion 3"):
        two_champions.roll_back(why="w", version=version)
    assert roles() == (2, 1)


def test_a_rollback_to_an_altered_artifact_is_refused(
    two_champions: Promotions, mlflow_store: Path
) -> None:
    for card in mlflow_store.rglob("model_card.md"):
        if card.read_text() == "Card 1.":
            card.write_text("Card 9.")
    with pytest.raises(RollbackRefusedError, match=r"champion: .*altered .*model_card"):
        two_champions.roll_back(why="w")
    assert roles() == (2, 1)


def test_a_rollback_to_another_artifact_than_was_promoted_is_refused(
    two_champions: Promotions, monkeypatch: pytest.MonkeyPatch
) -> None:
    from credit_scoring.registry import promoting

    class Other:
        digest = "other"

    monkeypatch.setattr(promoting, "load_artifact", lambda folder: Other)
    with pytest.raises(RollbackRefusedError, match="not the artifact that was promo"):
        two_champions.roll_back(why="w")


def test_without_history_there_is_nothing_to_roll_back(promotions: Promotions) -> None:
    with pytest.raises(RollbackRefusedError, match="no record of a champion"):
        promotions.roll_back(why="w")
    promotions.promote([candidate(1, None)])
    with pytest.raises(RollbackRefusedError, match="no record names another champion"):
        promotions.roll_back(why="w")


def test_a_version_that_is_not_registered_gets_no_role(promotions: Promotions) -> None:
    with pytest.raises(PromotionError, match="version 9 is not in the registry"):
        promotions.promote([candidate(9, None)])
    assert promotions.log.records() == []


def record(day: int, champion: int | None, *, hour: int = 12) -> dict[str, Any]:
    return {
        "created_at": datetime(2026, 11, day, hour, tzinfo=UTC).isoformat(),
        "champion": None if champion is None else {"version": champion},
        "challenger": None,
        "kind": "promotion",
        "decision": f"on day {day}",
        "actor": "ana",
        "signature": {"key_id": "k"},
        "digest": f"d{day}",
    }


RECORDS = [record(1, None), record(3, 1), record(5, 1), record(7, 2), record(9, 1)]


@pytest.mark.parametrize(
    ("day", "decision", "until"),
    [
        (1, None, None),
        (2, None, None),
        (3, "on day 3", "2026-11-07"),
        (6, "on day 3", "2026-11-07"),
        (7, "on day 7", "2026-11-09"),
        (9, "on day 9", None),
        (30, "on day 9", None),
    ],
)
def test_the_champion_of_a_day_is_the_last_that_was_made_by_its_end(
    day: int, decision: str | None, until: str | None
) -> None:
    end = datetime(2026, 11, day, tzinfo=UTC) + timedelta(days=1)
    held = champion_at(RECORDS, end)
    if decision is None:
        assert held is None
        return
    assert held is not None
    assert held["decision"] == decision
    assert (held["until"] or "")[:10] == (until or "")


def test_the_history_has_a_row_for_each_record() -> None:
    rows = history_rows(RECORDS)
    assert [row["champion"] for row in rows] == [None, 1, 1, 2, 1]
    assert rows[0]["signed_with"] == "k"
    json.dumps(rows)


def test_the_store_is_the_tests_own(mlflow_store: Path) -> None:
    assert str(mlflow_store) in mlflow.get_tracking_uri()
    assert os.environ[SIGNING_KEY_FILE]


def challenger_of(promotions: Promotions, *, good: bool = True) -> JudgedCandidate:
    """Champion 2's challenger, which is version 1."""
    known = {v.version: v for v in promotions.registry.versions()}[1]
    judged: JudgedCandidate = candidate(1, 2, good=good)
    return judged.model_copy(update={"digest": known.digest})


def test_a_challenger_is_promoted_on_outcomes_with_a_signed_record(
    two_champions: Promotions,
) -> None:
    judged = challenger_of(two_champions)
    record = two_champions.conclude(judged, promoted=True, why="better on outcomes")
    assert roles() == (1, 2)
    assert (record["kind"], record["decision"]) == ("challenge", "better on outcomes")
    assert record["candidates"][0]["gates"][0]["passed"]
    assert two_champions.log.head() == record


def test_a_challenger_is_retired_with_a_signed_record(
    two_champions: Promotions,
) -> None:
    judged = challenger_of(two_champions, good=False)
    record = two_champions.conclude(judged, promoted=False, why="worse on outcomes")
    assert roles() == (2, None)
    assert (record["kind"], record["challenger"]) == ("retirement", None)
    with pytest.raises(PromotionError, match="champion and challenger are 2 and None"):
        two_champions.conclude(judged, promoted=False, why="again")


def test_who_passes_not_every_gate_is_not_promoted_on_outcomes(
    two_champions: Promotions, mlflow_store: Path
) -> None:
    bad = challenger_of(two_champions, good=False)
    with pytest.raises(PromotionError, match="does not pass every gate on outcomes"):
        two_champions.conclude(bad, promoted=True, why="w")
    stale = challenger_of(two_champions).model_copy(update={"against": 1})
    with pytest.raises(PromotionError, match="compared with champion 1, and champion"):
        two_champions.conclude(stale, promoted=True, why="w")
    for card in mlflow_store.rglob("model_card.md"):
        if card.read_text() == "Card 1.":
            card.write_text("Card 9.")
    with pytest.raises(RollbackRefusedError, match="altered"):
        two_champions.conclude(challenger_of(two_champions), promoted=True, why="w")
    assert roles() == (2, 1)
