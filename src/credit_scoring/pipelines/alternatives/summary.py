"""What the search comes to for each protected attribute."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from credit_scoring.evaluation.alternatives import (
    impact_ratio_gain,
    least_impact_ratio,
)
from credit_scoring.evaluation.bootstrap import BootstrapParameters
from credit_scoring.evaluation.delong import compare_aucs
from credit_scoring.features.definition import FeatureSet
from credit_scoring.pipelines.alternatives.measuring import (
    CHOSEN,
    POLICY,
    SAME_APPROVALS,
    TEST,
    Yardstick,
)
from credit_scoring.pipelines.alternatives.search import Scored
from credit_scoring.registry.gate_parameters import ChampionTest

Values = NDArray[np.float64]
Json = dict[str, Any]

_PROXIES_NAMED = 10


@dataclass(frozen=True)
class Search:
    """What was searched, and how two points of it are compared.

    Attributes:
        table: Every model at every cut-off.
        models: The promoted one first.
        yardstick: What they were measured with.
        auc_test: The loss of AUC that counts as none.
        bootstrap: How intervals are found.
    """

    table: pd.DataFrame
    models: list[Scored]
    yardstick: Yardstick
    auc_test: ChampionTest
    bootstrap: BootstrapParameters


def summarise(search: Search, attribute: str) -> Json:
    """Give the chosen point, the frontiers, and what is less discriminatory.

    Args:
        search: What was searched.
        attribute: Name of the protected attribute.

    Returns:
        ``groups``, ``chosen``, ``frontier_auc``, ``frontier_profit`` (points with
        their figures on the test rows), ``tested`` (the points of the AUC frontier
        beside the promoted model) and ``less_discriminatory``: names of those whose
        AUC is shown to be no worse, and whose impact ratio is shown to be higher.
    """
    table, models = search.table, search.models
    scored = {model.alternative.name: model for model in models}
    by_auc = table[table[f"frontier_auc_{attribute}"]]
    by_profit = table[table[f"frontier_profit_{attribute}"]]
    chosen = table[(table["kind"] == CHOSEN) & (table["cut_off_rule"] == POLICY)]
    tested = [
        _against(search, scored[name], cut_off, attribute)
        for name, kind, cut_off in by_auc[["name", "kind", "cut_off"]].to_numpy()
        if kind != CHOSEN
    ]
    return {
        "groups": list(search.yardstick.members[attribute]),
        "chosen": _points(chosen, attribute),
        "frontier_auc": _points(by_auc, attribute),
        "frontier_profit": _points(by_profit, attribute),
        "tested": tested,
        "less_discriminatory": [t["name"] for t in tested if t["less_discriminatory"]],
    }


def strongest_proxies(features: FeatureSet, strength: Values) -> list[Json]:
    """Name the features that say most about a group, the strongest first."""
    order = np.argsort(-strength, kind="stable")[:_PROXIES_NAMED]
    return [
        {"feature": features.names[k], "strength": float(strength[k])} for k in order
    ]


def _against(search: Search, model: Scored, cut_off: float, attribute: str) -> Json:
    """Compare an alternative with the promoted model on the test rows."""
    yardstick, promoted, test = search.yardstick, search.models[0], search.auc_test
    rows = yardstick.rows[TEST]
    aucs = compare_aucs(
        model.margin[rows],
        promoted.margin[rows],
        yardstick.bad[rows],
        margin=test.margin,
        level=test.level,
    )
    members = {n: m[rows] for n, m in yardstick.members[attribute].items()}
    approved = yardstick.approved(model.score, cut_off)[rows]
    before = yardstick.approved(promoted.score, yardstick.approve_from)[rows]
    gain = impact_ratio_gain(members, approved, before, bootstrap=search.bootstrap)
    return {
        "name": model.alternative.name,
        "cut_off_rule": SAME_APPROVALS,
        "cut_off": cut_off,
        "auc_difference": {
            "value": aucs.difference,
            "low": aucs.low,
            "high": aucs.high,
        },
        "auc_not_inferior": aucs.shown,
        "impact_ratio": float(least_impact_ratio(members, approved)[0]),
        "impact_ratio_gain": asdict(gain),
        "less_discriminatory": bool(aucs.shown and (gain.low or 0.0) > 0),
    }


def _points(table: pd.DataFrame, attribute: str) -> list[dict[str, Any]]:
    named = [
        *("name", "kind", "cut_off_rule", "cut_off", "auc_test", "profit_test"),
        *("approval_rate_test", "bad_rate_test"),
    ]
    ratio = f"impact_ratio_{attribute}_test"
    points = table[[*named, ratio]].rename(columns={ratio: "impact_ratio_test"})
    points = points.sort_values("impact_ratio_test", kind="stable")
    plain = points.astype(object).where(points.notna(), None)
    return [{str(k): v for k, v in line.items()} for line in plain.to_dict("records")]
