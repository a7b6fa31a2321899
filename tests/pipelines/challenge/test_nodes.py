"""The verdict on outcomes, carried out in a real MLflow store."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest

from credit_scoring.challenge.parameters import ChallengeParameters
from credit_scoring.errors import ChallengeError
from credit_scoring.pipelines.challenge import create_pipeline
from credit_scoring.pipelines.challenge.nodes import challenge_champion, log_challenge
from credit_scoring.pipelines.promotion.parameters import PromotionParameters
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.artifact_writing import ArtifactContents, write_artifact
from credit_scoring.registry.gate_parameters import GateParameters
from credit_scoring.registry.gates import AGAINST_CHAMPION, Gate, artifact_gate
from credit_scoring.registry.mlflow_registry import CandidateLog, MlflowRegistry
from credit_scoring.registry.promoting import Promotions
from credit_scoring.registry.promotion_access import open_promotions
from credit_scoring.registry.roles import JudgedCandidate

Decided = Callable[..., pd.DataFrame]
AS_OF = {"as_of": "2027-01-01T00:00:00+00:00"}


def gate(name: str, *, passed: bool = True) -> Gate:
    return Gate(name=name, figure=1.0, threshold="1", passed=passed, why="as asked")


@pytest.fixture
def promotions(
    mlflow_store: Path, contents: ArtifactContents, tmp_path: Path
) -> Promotions:
    """Version 1 is champion; version 2 is sound, and not shown to be better."""
    assert mlflow_store.is_dir()
    opened = open_promotions("credit_scoring")
    for number in (1, 2):
        folder = tmp_path / str(number)
        write_artifact(folder, replace(contents, model_card=f"Card {number}."))
        log = CandidateLog(parameters={}, metrics={}, data_source="d", reports={})
        version = MlflowRegistry().log_candidate(load_artifact(folder), log)
        against = (gate(min(AGAINST_CHAMPION), passed=False),) if number == 2 else ()
        judged = JudgedCandidate(
            family="boosting",
            version=version.version,
            run_id=version.run_id,
            digest=version.digest,
            new=True,
            against=None if number == 1 else 1,
            auc=0.8,
            gates=(artifact_gate(None), gate("fairness_sex_f"), *against),
        )
        opened.promote([judged])
    return opened


@pytest.fixture
def promotion(gates: GateParameters) -> PromotionParameters:
    return PromotionParameters(data_source="d", gates=gates)


def of_the_two(promotions: Promotions, table: pd.DataFrame) -> pd.DataFrame:
    held = [promotions.registry.holder(a) for a in ("champion", "challenger")]
    digests = [holder.digest for holder in held if holder is not None]
    return table.assign(model_digest=digests[0], challenger_digest=digests[1])


def roles(promotions: Promotions) -> list[int | None]:
    held = [promotions.registry.holder(a) for a in ("champion", "challenger")]
    return [holder.version if holder else None for holder in held]


def test_a_better_challenger_is_reported_and_then_promoted(
    promotions: Promotions,
    promotion: PromotionParameters,
    parameters: ChallengeParameters,
    shadowed: Decided,
) -> None:
    table = of_the_two(
        promotions, shadowed(20_000, champion_noise=2.5, challenger_noise=0.3)
    )
    said = challenge_champion(table, AS_OF, [], parameters, promotion)
    assert said["report"]["verdict"] == "promote"
    assert said["report"]["carried_out"] is False
    assert roles(promotions) == [1, 2]
    assert said["record"] == promotions.log.head()

    done = challenge_champion(
        table,
        AS_OF,
        said["looks"],
        parameters.model_copy(update={"carry_out": True}),
        promotion,
    )
    assert done["looks"] == said["looks"]
    assert roles(promotions) == [2, 1]
    assert done["record"]["kind"] == "challenge"
    assert done["report"]["record"] == done["record"]["digest"]
    page = done["page"]
    assert "Verdict: promote" in page
    assert page.count("data:image/png;base64,") == 3
    assert not re.search(r"(src|href)=\"http", page)


def test_a_worse_challenger_is_retired(
    promotions: Promotions,
    promotion: PromotionParameters,
    parameters: ChallengeParameters,
    shadowed: Decided,
) -> None:
    asked = parameters.model_copy(update={"carry_out": True})
    table = of_the_two(
        promotions, shadowed(20_000, champion_noise=0.3, challenger_noise=2.5)
    )
    done = challenge_champion(table, AS_OF, [], asked, promotion)
    assert done["record"]["kind"] == "retirement"
    assert roles(promotions) == [1, None]
    with pytest.raises(ChallengeError, match="there is no challenger to compare"):
        challenge_champion(table, AS_OF, done["looks"], asked, promotion)


def test_without_outcomes_the_report_says_so_and_nobody_changes_role(
    promotions: Promotions,
    promotion: PromotionParameters,
    parameters: ChallengeParameters,
    shadowed: Decided,
) -> None:
    asked = parameters.model_copy(update={"carry_out": True})
    young = shadowed(100, champion_noise=1, challenger_noise=1).assign(
        status="immature", bad=pd.array([None] * 100, dtype="Int8")
    )
    found = challenge_champion(
        of_the_two(promotions, young), AS_OF, [], asked, promotion
    )
    assert found["report"]["verdict"] == "keep"
    assert roles(promotions) == [1, 2]
    assert "auc is not measured" in found["page"]
    assert "data:image" not in found["page"]


def test_the_report_is_a_run_in_mlflow(
    promotions: Promotions,
    promotion: PromotionParameters,
    parameters: ChallengeParameters,
    shadowed: Decided,
) -> None:
    table = of_the_two(promotions, shadowed(3000, champion_noise=1, challenger_noise=1))
    found: dict[str, Any] = challenge_champion(table, AS_OF, [], parameters, promotion)
    log_challenge(found["report"], found["page"])
    client = mlflow.MlflowClient()
    (run,) = client.search_runs(["1"], "attributes.run_name = 'challenge'")
    assert run.data.metrics["auc_gain"] == found["report"]["measures"]["auc"]["gain"]
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert files == {"challenge_report.html", "challenge_report.json"}


def test_the_pipeline_reads_what_the_outcomes_pipeline_made() -> None:
    assert create_pipeline().inputs() == {
        "matured_outcomes",
        "outcomes_report",
        "past_challenge_looks",
        "params:challenge",
        "params:promotion",
    }
