"""From XGBoost's booster to compiled trees, and the proof that both agree."""

import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from credit_scoring.boosting.ensemble import BOOSTER_FILE, TreeEnsemble
from credit_scoring.boosting.native import NativeEnsemble
from credit_scoring.boosting.shapley import FEW_ROWS
from credit_scoring.boosting.trees import Trees
from credit_scoring.errors import ArtifactError

_LOG = logging.getLogger(__name__)

_LEAF = -1
_WORD = 32


def ensemble_from_booster(
    booster: xgboost.Booster,
    features: tuple[str, ...],
    rows: Iterable[NDArray[np.float64]],
) -> TreeEnsemble:
    """Compile a booster, and prove it on rows.

    Where a margin differs from XGBoost's in a single bit, the model that is given
    gets its margins from XGBoost instead, which a warning says.

    Args:
        booster: Binary logistic booster of trees; all its rounds are used.
        features: Names of the feature matrix's columns, in order.
        rows: Feature rows to prove the equality on, part by part, each of shape
            (n, n_features).

    Raises:
        ArtifactError: If the booster is of a kind that the trees cannot hold.
    """
    model = json.loads(booster.save_raw("json"))["learner"]
    _check_kind(model, len(features))
    ensemble = TreeEnsemble(
        features=features,
        trees=_trees(model["gradient_booster"]["model"]["trees"]),
        base_margin=_base_margin(booster),
        booster=bytes(booster.save_raw("ubj")),
    )
    ensemble.trees.check(len(features))
    try:
        for part in rows:
            _check_equal(booster, ensemble, part)
    except ArtifactError as error:
        _LOG.warning("%s; XGBoost takes the place of the compiled trees", error)
        return NativeEnsemble.of(ensemble)
    return ensemble


def verify_against_xgboost(folder: Path, x: NDArray[np.float64]) -> int:
    """Prove a saved model's margins bit-equal to those of its own booster file.

    Args:
        folder: What `TreeEnsemble.save` wrote.
        x: Feature rows, shape (n, n_features).

    Returns:
        The number of rows compared.

    Raises:
        ArtifactError: If the folder is damaged, or a margin differs in a bit.
    """
    ensemble = TreeEnsemble.load(folder)
    booster = xgboost.Booster({"nthread": 1})
    try:
        booster.load_model(folder / BOOSTER_FILE)
    except xgboost.core.XGBoostError as error:
        raise ArtifactError(f"{BOOSTER_FILE} is not an XGBoost model") from error
    _check_equal(booster, ensemble, x)
    return len(x)


def _check_kind(model: dict[str, Any], n_features: int) -> None:
    booster = model["gradient_booster"]
    # From XGBoost 3.4 on, trees that are weighed by dropout are of kind gbtree, too.
    weighed = "weight_drop" in booster.get("model", ())
    found = {
        "booster": "dart" if weighed else booster["name"],
        "objective": model["objective"]["name"],
        "features": int(model["learner_model_param"]["num_feature"]),
    }
    expected = {
        "booster": "gbtree",
        "objective": "binary:logistic",
        "features": n_features,
    }
    if found != expected:
        raise ArtifactError(f"booster is {found}; expected {expected}")
    trees = booster["model"]["trees"]
    if not trees:
        raise ArtifactError("booster has no trees; expected at least one")


def _base_margin(booster: xgboost.Booster) -> float:
    """The margin before the first tree, rounded by XGBoost itself.

    XGBoost turns the base score into log-odds with roundings of its own; so it
    is asked for the margin of the first tree with all leaves set to zero. (A
    booster without any tree answers with the base score itself.)
    """
    document = json.loads(booster[:1].save_raw("json"))
    for tree in document["learner"]["gradient_booster"]["model"]["trees"]:
        tree["split_conditions"] = [
            0.0 if child == _LEAF else threshold
            for child, threshold in zip(
                tree["left_children"], tree["split_conditions"], strict=True
            )
        ]
    zeroed = xgboost.Booster({"nthread": 1})
    zeroed.load_model(bytearray(json.dumps(document).encode()))
    row = np.zeros((1, booster.num_features()), dtype=np.float32)
    return float(zeroed.inplace_predict(row, predict_type="margin")[0])


def _trees(listed: list[dict[str, Any]]) -> Trees:
    parts = []
    roots = []
    offset = 0
    for tree in listed:
        part = _tree(tree, offset)
        roots.append(offset)
        offset += len(part["left"])
        parts.append(part)
    joined = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    sets = {
        node: chosen
        for tree, root in zip(listed, roots, strict=True)
        for node, chosen in _sets(tree, root)
    }
    nodes = sorted(sets)
    joined["threshold"][nodes] = 0.0
    return Trees(
        roots=np.array(roots, dtype=np.int32),
        category_nodes=np.array(nodes, dtype=np.int32),
        category_words=_words([sets[node] for node in nodes]),
        **joined,
    )


def _sets(tree: dict[str, Any], root: int) -> Iterator[tuple[int, list[int]]]:
    """Give each split by category, as it is numbered here, and its categories."""
    place = {old: root + new for new, old in enumerate(_level_order(tree))}
    chosen = tree["categories"]
    for node, start, size in zip(
        tree["categories_nodes"],
        tree["categories_segments"],
        tree["categories_sizes"],
        strict=True,
    ):
        yield place[node], chosen[start : start + size]


def _words(sets: list[list[int]]) -> NDArray[np.uint32]:
    highest = max((code for chosen in sets for code in chosen), default=0)
    words = np.zeros((len(sets), 1 + highest // _WORD), dtype=np.uint32)
    for row, chosen in enumerate(sets):
        for code in chosen:
            words[row, code // _WORD] |= np.uint32(1 << code % _WORD)
    return words


def _tree(tree: dict[str, Any], offset: int) -> dict[str, NDArray[Any]]:
    old = np.array(_level_order(tree))
    left = np.array(tree["left_children"])[old]
    leaf = left == _LEAF
    place = np.arange(len(old)) + offset
    new = np.zeros(len(tree["left_children"]), dtype=np.int64)
    new[old] = place
    split = np.array(tree["split_conditions"], dtype=np.float32)[old]
    return {
        "feature": np.where(leaf, 0, np.array(tree["split_indices"])[old]).astype("i4"),
        "threshold": np.where(leaf, np.float32(-np.inf), split).astype("f4"),
        "left": np.where(leaf, place - 1, new[left]).astype("i4"),
        "default_left": np.where(leaf, 0, np.array(tree["default_left"])[old]).astype(
            "u1"
        ),
        "value": np.where(leaf, split, np.float32(0)).astype("f4"),
    }


def _level_order(tree: dict[str, Any]) -> list[int]:
    """List a tree's nodes level by level, so that siblings stand together."""
    order = [0]
    for node in order:  # grows while it is read
        if tree["left_children"][node] != _LEAF:
            order += [tree["left_children"][node], tree["right_children"][node]]
    return order


def _check_equal(
    booster: xgboost.Booster, ensemble: TreeEnsemble, rows: NDArray[np.float64]
) -> None:
    expected = booster.inplace_predict(rows, predict_type="margin")
    # Few rows and many go different ways.
    few = [
        ensemble.margin(rows[n : n + FEW_ROWS]) for n in range(0, len(rows), FEW_ROWS)
    ]
    differs = np.zeros(len(rows), np.bool_)
    for margins in (ensemble.margin(rows), np.concatenate(few)):
        found = margins.astype(np.float32)
        differs |= found.view(np.uint32) != expected.view(np.uint32)
    if differs.any():
        raise ArtifactError(
            f"{int(differs.sum())} of {len(rows)} margins differ from XGBoost's; "
            f"first at row {int(differs.argmax())}; expected equal bits"
        )
