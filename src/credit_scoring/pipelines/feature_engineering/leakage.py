"""The leakage guard: nothing known only after the decision may be learnt from."""

from dataclasses import asdict

import numpy as np
import pandas as pd

from credit_scoring.errors import TrainingError
from credit_scoring.evaluation.single_feature import feature_power
from credit_scoring.pipelines.feature_engineering.nodes import join_model_input
from credit_scoring.pipelines.feature_engineering.parameters import (
    FeatureEngineeringParameters,
)

_SHOWN = 8


def measure_single_features(
    features: pd.DataFrame,
    splits: pd.DataFrame,
    parameters: FeatureEngineeringParameters,
) -> pd.DataFrame:
    """Measure how much each feature alone tells goods from bads, on train.

    Args:
        features: Id column first, then one column a feature.
        splits: Id column, ``split`` and ``bad``.
        parameters: Level of the intervals.

    Returns:
        ``feature``, ``auc``, ``low``, ``high``, ``share_missing``, the most
        powerful first.
    """
    joined = join_model_input(features, splits)
    train = joined[joined["split"] == "train"]
    bad = train["bad"].to_numpy(np.float64)
    lines = []
    for name in features.columns[1:]:
        values = train[name].to_numpy(np.float64)
        power = feature_power(values, bad, level=parameters.leakage.level)
        lines.append({"feature": str(name), **asdict(power)})
    table = pd.DataFrame(lines)
    return table.sort_values("auc", ascending=False, kind="stable", ignore_index=True)


def join_plausible_features(
    features: pd.DataFrame,
    splits: pd.DataFrame,
    single_feature_power: pd.DataFrame,
    parameters: FeatureEngineeringParameters,
) -> pd.DataFrame:
    """Join the models' input, if no feature is too good to be true.

    Args:
        features: Id column first, then one column a feature.
        splits: Id column, ``split`` and ``bad``.
        single_feature_power: As `measure_single_features` gives it.
        parameters: The most that a feature may tell.

    Returns:
        As `join_model_input`.

    Raises:
        TrainingError: If a feature alone tells more than is plausible; the
            message names it, its figure, and the parameter.
    """
    most = parameters.leakage.maximum_auc
    leaking = single_feature_power[single_feature_power["low"] > most]
    if len(leaking):
        shown = "; ".join(
            f"{line.feature} (AUC {line.auc:.3f}, {line.low:.3f} to {line.high:.3f})"
            for line in leaking.head(_SHOWN).itertuples()
        )
        raise TrainingError(
            f"{len(leaking)} features tell goods from bads implausibly well alone: "
            f"{shown}. They may hold what is known only after the decision: name such "
            "columns under known_after_decision of the contract. If each is known "
            "before it, raise feature_engineering.leakage.maximum_auc, which is "
            f"{most:g}"
        )
    return join_model_input(features, splits)
