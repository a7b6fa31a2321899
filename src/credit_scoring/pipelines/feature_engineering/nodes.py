"""Nodes of the feature engineering pipeline: features, splits, model input."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from credit_scoring.contract.model import Contract, Role
from credit_scoring.decision.feature_sets import feature_set_of
from credit_scoring.digests import salted_shares
from credit_scoring.errors import FeatureError, TrainingError
from credit_scoring.features.definition import FeatureSet
from credit_scoring.pipelines.feature_engineering.parameters import (
    SPLITS,
    FeatureEngineeringParameters,
    SplitParameters,
    SplitShares,
)


def compute_features(
    validated_applications: pd.DataFrame,
    contract: Contract,
    parameters: FeatureEngineeringParameters,
) -> pd.DataFrame:
    """Compute every feature of every accepted row.

    Args:
        validated_applications: Typed rows, contract names.
        contract: The contract that the rows fulfil.
        parameters: Names the feature set.

    Returns:
        The id column and one float64 column a feature, in the rows' order.

    Raises:
        FeatureError: If a feature reads what is no application or history
            column of the contract, or gives an infinite value.
    """
    feature_set = feature_set_of(parameters.feature_set, contract)
    foreign = sorted(set(feature_set.inputs) - set(contract.input_names))
    _refuse_known_after_decision(foreign, contract)
    if foreign:
        raise FeatureError(
            f"features of {feature_set.name} read {', '.join(foreign)}; expected "
            "application or history columns of the contract"
        )
    columns = {
        name: validated_applications[name].to_numpy(np.float64)
        for name in feature_set.inputs
    }
    matrix = feature_set.compute(columns)
    _refuse_infinite(matrix, feature_set)
    features = pd.DataFrame(matrix, columns=list(feature_set.names))
    ids = validated_applications[contract.id_name].to_numpy()
    features.insert(0, contract.id_name, pd.Series(ids, dtype="str"))
    return features


def _refuse_known_after_decision(read: list[str], contract: Contract) -> None:
    later = {name.casefold() for name in contract.known_after_decision}
    late = [name for name in read if name.casefold() in later]
    if late:
        raise FeatureError(
            f"features read {', '.join(late)}, known only after the decision; "
            "expected application or history columns of the contract"
        )


def _refuse_infinite(matrix: NDArray[np.float64], feature_set: FeatureSet) -> None:
    infinite = np.isinf(matrix)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise FeatureError(
            f"{int(infinite.sum())} feature values are infinite; first in "
            f"{feature_set.names[column]} at row {row}"
        )


def assign_splits(
    validated_applications: pd.DataFrame,
    contract: Contract,
    parameters: FeatureEngineeringParameters,
) -> pd.DataFrame:
    """Put each row into train, validation, calibration or test.

    By salted hash of the id, so that a row stays in its split when rows are
    added; or by date, where the parameters say so.

    Args:
        validated_applications: Typed rows, contract names.
        contract: The contract that the rows fulfil.
        parameters: Salt and shares, or the first day of each split.

    Returns:
        Id column, ``split`` and ``bad`` (int8), in the rows' order.

    Raises:
        TrainingError: If a split has no good or no bad, or a split by date is
            asked for and the contract has no date or a row lacks it.
    """
    ids = validated_applications[contract.id_name]
    place = places_in_splits(validated_applications, contract, parameters.split)
    splits = pd.DataFrame(
        {
            contract.id_name: ids.to_numpy(),
            "split": np.array(SPLITS)[place],
            "bad": validated_applications[contract.target_name].to_numpy(np.int8),
        }
    ).astype({contract.id_name: "str", "split": "str"})
    _refuse_one_sided(splits)
    return splits


def places_in_splits(
    rows: pd.DataFrame, contract: Contract, split: SplitParameters
) -> NDArray[np.int64]:
    """Say where in `SPLITS` each row belongs, which depends on that row alone.

    Args:
        rows: Typed, contract names.
        contract: The contract that the rows fulfil.
        split: Salt and shares, or the first day of each split.

    Raises:
        TrainingError: If a split by date is asked for and the contract has no date or
            a row lacks it.
    """
    if split.out_of_time is None:
        return _by_hash(rows[contract.id_name], split.salt, split.shares)
    return _by_date(rows, contract, split)


def _by_hash(ids: pd.Series, salt: str, shares: SplitShares) -> NDArray[np.int64]:
    ends = np.cumsum([getattr(shares, split) for split in SPLITS])
    points = salted_shares(ids.astype("str"), salt)
    # The last end is 1 up to rounding, and every point lies below it.
    return np.searchsorted(ends[:-1], points, side="right")


def _by_date(
    rows: pd.DataFrame, contract: Contract, split: SplitParameters
) -> NDArray[np.int64]:
    boundaries = split.out_of_time
    if boundaries is None:
        raise TrainingError("a split by date needs its dates")
    names = contract.names(Role.DATE)
    if len(names) != 1:
        raise TrainingError(
            f"out_of_time needs one date column; contract {contract.name} has "
            f"{len(names)}. Split by salted hash instead: remove out_of_time"
        )
    days = pd.to_datetime(rows[names[0]])
    missing = int(days.isna().sum())
    if missing:
        raise TrainingError(
            f"{missing} of {len(days)} rows have no {names[0]}; "
            "expected a date in each to split by time"
        )
    day = days.to_numpy("datetime64[D]")
    later = (boundaries.calibration_from, boundaries.test_from)
    place = np.searchsorted(np.array(later, "datetime64[D]"), day, side="right")
    # Train is 0, validation 1, calibration 2, test 3.
    place = np.where(place > 0, place + 1, 0)
    if boundaries.validation_share is None:
        in_validation = day >= np.datetime64(str(boundaries.validation_from), "D")
    else:
        points = salted_shares(rows[contract.id_name].astype("str"), split.salt)
        in_validation = points < boundaries.validation_share
    return np.where((place == 0) & in_validation, 1, place)


def _refuse_one_sided(splits: pd.DataFrame) -> None:
    for split in SPLITS:
        bad = splits.loc[splits["split"] == split, "bad"]
        goods, bads = int((bad == 0).sum()), int((bad == 1).sum())
        if not goods or not bads:
            raise TrainingError(
                f"split {split} has {goods} goods and {bads} bads among "
                f"{len(splits)} rows in all; expected both"
            )


def join_model_input(features: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """Put features, split and outcome of each row side by side.

    Args:
        features: Id column first, then one column a feature.
        splits: Id column, ``split`` and ``bad``.

    Returns:
        Id, ``split``, ``bad`` and the features, in the order of ``features``.

    Raises:
        TrainingError: If an id occurs twice, or only on one side.
    """
    id_name = str(features.columns[0])
    for name, frame in (("features", features), ("splits", splits)):
        twice = int(frame[id_name].duplicated().sum())
        if twice:
            raise TrainingError(f"{twice} rows of {name} repeat an id; expected none")
    alone = len(set(features[id_name]) ^ set(splits[id_name]))
    if alone:
        raise TrainingError(
            f"{alone} ids are in features or splits alone; expected the same ids"
        )
    joined = features.merge(splits, on=id_name, how="left", validate="one_to_one")
    first = [id_name, "split", "bad"]
    return joined[[*first, *(c for c in joined.columns if c not in first)]]


def summarise_features(
    features: pd.DataFrame,
    contract: Contract,
    parameters: FeatureEngineeringParameters,
) -> dict[str, Any]:
    """Describe the features: version, meaning and spread of each.

    Args:
        features: Id column first, then one column a feature.
        contract: Part of the feature version.
        parameters: Names the feature set.

    Returns:
        JSON-like: ``feature_set``, ``feature_version``, ``n_rows`` and for each
        feature its direction, reason, description, min, mean, max and
        share_missing; a feature that is missing everywhere has null for three.
    """
    feature_set = feature_set_of(parameters.feature_set, contract)
    return {
        "feature_set": feature_set.name,
        "feature_version": feature_set.version(contract.digest),
        "n_rows": len(features),
        "features": {
            item.name: {
                "direction": item.direction,
                "reason": item.reason,
                "description": item.description,
                **_spread(features[item.name].to_numpy(np.float64)),
            }
            for item in feature_set.features
        },
    }


def _spread(values: NDArray[np.float64]) -> dict[str, float | None]:
    present = values[~np.isnan(values)]
    if not len(present):
        return {"min": None, "mean": None, "max": None, "share_missing": 1.0}
    return {
        "min": float(present.min()),
        "mean": float(present.mean()),
        "max": float(present.max()),
        "share_missing": 1 - len(present) / len(values),
    }
