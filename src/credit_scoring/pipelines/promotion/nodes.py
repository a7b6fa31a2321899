"""Nodes of the promotion pipeline."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from credit_scoring.contract.model import Contract, Role
from credit_scoring.decision.calibration import Calibration
from credit_scoring.decision.feature_sets import feature_set_of
from credit_scoring.decision.grading import Grading
from credit_scoring.decision.model import Model
from credit_scoring.decision.parameters import DecisionParameters
from credit_scoring.decision.uncertainty import Uncertainty
from credit_scoring.errors import ArtifactError, PromotionError
from credit_scoring.pipelines.feature_engineering.parameters import (
    FeatureEngineeringParameters,
)
from credit_scoring.pipelines.promotion.parameters import PromotionParameters
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.artifact_writing import ArtifactContents
from credit_scoring.registry.candidates import Candidate, artifact_contents
from credit_scoring.registry.mlflow_registry import CandidateLog, MlflowRegistry
from credit_scoring.registry.promoting import history_rows
from credit_scoring.registry.promotion_access import open_promotions
from credit_scoring.registry.provenance import project_folder, provenance_of
from credit_scoring.registry.record_page import record_page
from credit_scoring.registry.roles import JudgedCandidate

Values = NDArray[np.float64]
logger = logging.getLogger(__name__)


def select_applications(
    validated_applications: pd.DataFrame, splits: pd.DataFrame, contract: Contract
) -> dict[str, pd.DataFrame]:
    """Take the applications that candidates were trained and are tested on.

    Args:
        validated_applications: Typed rows, contract names.
        splits: Loan id, split and outcome (``bad``).
        contract: Says which columns a decision may use, and which are protected.

    Returns:
        ``training`` and ``test``: the decision's input columns and ``bad``, in
        the rows' order; and ``protected``: the protected columns of the test
        rows alone, in the same order, apart from all that a model reads.

    Raises:
        PromotionError: If a split has no rows.
    """
    id_name = contract.id_name
    protected = list(contract.names(Role.PROTECTED))
    named = [id_name, *contract.input_names, *protected]
    rows = validated_applications[named].merge(
        splits[[id_name, "split", "bad"]], on=id_name, validate="one_to_one"
    )
    chosen = {}
    for name, split in (("training", "train"), ("test", "test")):
        part = rows[rows["split"] == split].reset_index(drop=True)
        if part.empty:
            raise PromotionError(
                f"no rows in split {split!r}: {len(rows)} applications are in "
                f"{', '.join(sorted(rows['split'].unique())) or 'no split'}"
            )
        chosen[name] = part[[*contract.input_names, "bad"]]
    return chosen | {"protected": part[protected]}


# Kedro hands over each dataset and each group of parameters by itself.
def build_artifact(  # noqa: PLR0913, PLR0917
    model: Model,
    calibration: Mapping[str, float],
    metrics: Mapping[str, Any],
    background: pd.DataFrame,
    training_applications: pd.DataFrame,
    validation_summary: Mapping[str, Any],
    contract: Contract,
    feature_engineering: FeatureEngineeringParameters,
    decision: DecisionParameters,
    uncertainty: Mapping[str, Any],
) -> ArtifactContents:
    """Gather all that a candidate's decisions need.

    Args:
        model: Fitted, not calibrated, with its background.
        calibration: ``slope`` and ``intercept``.
        metrics: Split -> measure -> value with its interval.
        background: Just-approved applicants that its reasons compare with.
        training_applications: Columns that a decision may use.
        validation_summary: Holds the data's digest.
        contract: The columns of an application.
        feature_engineering: Names the feature set.
        decision: Scaling, policy and background.
        uncertainty: Intervals of the PD and the training range.

    Raises:
        PromotionError: If the model explains against other rows.
    """
    candidate = Candidate(
        model=model,
        calibration=Calibration.model_validate(dict(calibration)),
        parameters=decision,
        contract=contract,
        feature_set=feature_set_of(feature_engineering.feature_set, contract),
        uncertainty=Uncertainty.model_validate(dict(uncertainty)),
    )
    return artifact_contents(
        candidate,
        background=background[list(model.features)].to_numpy(np.float64, copy=True),
        train_columns=columns_of(training_applications, contract.input_names),
        metrics=metrics,
        provenance=provenance_of(project_folder(), validation_summary["data_digest"]),
    )


def register_candidate(
    artifact: Path,
    metrics: Mapping[str, Any],
    chosen_parameters: Mapping[str, Any],
    promotion: PromotionParameters,
    **reports: bytes | pd.DataFrame,
) -> dict[str, Any]:
    """Log a candidate as its own MLflow run, and register it.

    Args:
        artifact: The artifact's folder.
        metrics: Split -> measure -> value with its interval.
        chosen_parameters: Hyper-parameters that won its search.
        promotion: Says where the data comes from.
        reports: Its plots (``plots_<name>``, images) and tables, by name.

    Returns:
        ``family``, ``version``, ``run_id``, ``digest``, ``new``; or, of an
        artifact that does not verify, ``fault`` alone.
    """
    try:
        verified = load_artifact(artifact)
    except ArtifactError as error:
        logger.warning("not registered: %s", error)
        return {"fault": str(error)}
    registry = MlflowRegistry(promotion.registered_model)
    known = registry.version_of_digest(verified.digest)
    log = CandidateLog(
        parameters={
            "chosen": dict(chosen_parameters),
            **_grading(verified.engine.grading),
        },
        metrics=metrics,
        data_source=promotion.data_source,
        reports=_report_files(reports),
    )
    version = registry.log_candidate(verified, log)
    return {
        "family": version.family,
        "version": version.version,
        "run_id": version.run_id,
        "digest": version.digest,
        "new": known is None,
    }


def assign_aliases(
    promotion: PromotionParameters, *judged: Mapping[str, Any]
) -> dict[str, Any]:
    """Give the aliases to whom the gates admit, and record why, signed.

    Args:
        promotion: Names the registered model.
        judged: Each candidate as JSON.

    Returns:
        The promotion record.

    Raises:
        PromotionError: If the champion changed since they were judged.
        SettingsError: If the key that signs cannot be read.
    """
    candidates = [JudgedCandidate.model_validate(one) for one in judged]
    return open_promotions(promotion.registered_model).promote(candidates)


def draw_record(promotion_record: Mapping[str, Any]) -> str:
    """Draw the promotion record as a page (HTML)."""
    return record_page(promotion_record)


def tabulate_history(promotion_record: Mapping[str, Any]) -> pd.DataFrame:
    """List who has been champion since when, and why, up to this record.

    Args:
        promotion_record: The newest one; it is in the log by now.

    Raises:
        PromotionError: If a record of the log cannot be believed.
    """
    rows = history_rows(open_promotions(promotion_record["model"]).log.records())
    logger.debug("%s records, last %s", len(rows), promotion_record.get("digest"))
    return pd.DataFrame(rows)


def confirm_champion(promotion_record: Mapping[str, Any]) -> None:
    """Stop the run if there is no champion; the record is saved by then.

    Args:
        promotion_record: What was judged and decided.

    Raises:
        PromotionError: If nobody is champion, with the gates that stopped it.
    """
    if promotion_record.get("champion"):
        return
    stopped = [
        f"{candidate['family']}: {gate['name']} ({gate['why']})"
        for candidate in promotion_record.get("candidates", [])
        for gate in candidate["gates"]
        if not gate["passed"]
    ]
    raise PromotionError(
        "there is no champion: no candidate passes every gate, and there was none "
        f"before. Not passed: {'; '.join(stopped)[:1000] or 'unknown'}. The promotion "
        "record has every figure; the thresholds are in parameters_promotion.yml"
    )


def columns_of(applications: pd.DataFrame, names: tuple[str, ...]) -> dict[str, Values]:
    """Take columns as arrays, each of shape (n,)."""
    return {
        name: np.ascontiguousarray(applications[name].to_numpy(np.float64))
        for name in names
    }


def _report_files(reports: Mapping[str, bytes | pd.DataFrame]) -> dict[str, bytes]:
    """Name and write plots and tables as files of a run."""
    files = {}
    for name, report in reports.items():
        if isinstance(report, bytes):
            files[f"plots/{name.removeprefix('plots_')}.png"] = report
        else:
            files[f"{name}.csv"] = report.to_csv(index=False).encode()
    return files


def _grading(grading: Grading) -> dict[str, Any]:
    return {
        "calibration": grading.calibration.model_dump(),
        "scaling": grading.scaling.model_dump(),
        "policy": {
            "version": grading.policy.version,
            "approve_from": grading.policy.approve_from,
            "decline_below": grading.policy.decline_below,
        },
    }
