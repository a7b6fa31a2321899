"""A registry of the simulation's own, with a champion and a challenger in it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mlflow

from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.gates import Gate, artifact_gate, unmeasured
from credit_scoring.registry.mlflow_registry import CandidateLog, MlflowRegistry
from credit_scoring.registry.promoting import Promotions
from credit_scoring.registry.promotion_log import PromotionLog
from credit_scoring.registry.roles import JudgedCandidate
from credit_scoring.registry.scoring import artifact_folder
from credit_scoring.registry.signing import load_signer, load_trusted_keys

MODEL = "simulated"


@dataclass(frozen=True)
class Contender:
    """A model that has a role at the year's begin.

    Attributes:
        artifact: Its folder.
        gates: How promotion judged it on the test rows.
    """

    artifact: Path
    gates: tuple[Gate, ...]


def contender(artifact: Path, judgement: Path | None) -> Contender:
    """Take a model with the gates of its judgement.

    Args:
        artifact: Its folder.
        judgement: Written by the promotion pipeline; None for a champion of better
            times, of which nothing but its files is asked.
    """
    if judgement is None:
        return Contender(artifact, (artifact_gate(None),))
    judged = JudgedCandidate.model_validate(json.loads(judgement.read_bytes()))
    return Contender(artifact, judged.gates)


def open_registry(folder: Path, pair: Sequence[Contender]) -> Promotions:
    """Give champion and challenger their roles, with signed records.

    Args:
        folder: The store and the key are made in it.
        pair: Champion, then challenger. That the challenger is better is left to be
            shown on outcomes, so it is watched and no more.

    Returns:
        The promotions of the fresh store, which is MLflow's from now on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    place = mlflow.create_experiment(MODEL, str(folder / "mlruns"))
    mlflow.set_experiment(experiment_id=place)
    signer = load_signer({}, folder)
    log = PromotionLog(MODEL, load_trusted_keys({}, folder))
    promotions = Promotions(MlflowRegistry(MODEL), log, signer)
    against: int | None = None
    for one in pair:
        artifact = load_artifact(one.artifact)
        facts = CandidateLog(parameters={}, metrics={}, data_source=MODEL, reports={})
        version = promotions.registry.log_candidate(artifact, facts)
        to_be_shown = (
            ()
            if against is None
            else (unmeasured("auc_against_champion", "outcomes", "to be shown"),)
        )
        promotions.promote(
            [
                JudgedCandidate(
                    family=version.family,
                    version=version.version,
                    run_id=version.run_id,
                    digest=version.digest,
                    new=True,
                    against=against,
                    auc=0.5,
                    gates=(*one.gates, *to_be_shown),
                )
            ]
        )
        against = version.version
    return promotions


__all__ = ["Contender", "artifact_folder", "contender", "open_registry"]
