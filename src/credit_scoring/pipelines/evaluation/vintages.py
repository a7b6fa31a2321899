"""What a candidate is worth for the loans of one time and another."""

import numpy as np
import pandas as pd

from credit_scoring.contract.model import Contract, Role
from credit_scoring.evaluation.discrimination import roc_auc
from credit_scoring.evaluation.single_feature import auc_interval
from credit_scoring.pipelines.evaluation.parameters import EvaluationParameters

COLUMNS = (
    "vintage",
    "split",
    "rows",
    "bads",
    "bad_rate",
    "mean_pd",
    "auc",
    "auc_low",
    "auc_high",
)
_PERIODS = {"month": "M", "quarter": "Q", "year": "Y"}


def tabulate_vintages(
    predictions: pd.DataFrame,
    validated_applications: pd.DataFrame,
    contract: Contract,
    evaluation: EvaluationParameters,
) -> pd.DataFrame:
    """Measure a candidate on the applications of each period and split.

    Args:
        predictions: As `predict` gives them.
        validated_applications: Typed rows, contract names.
        contract: Names the date; without one there are no vintages.
        evaluation: Length of a period.

    Returns:
        One row a period and split, in order of time: counts, observed and
        predicted bad rate, AUC with a 95 % interval (missing where all are good,
        or all bad).
    """
    dates = contract.names(Role.DATE)
    if not dates:
        return pd.DataFrame(columns=list(COLUMNS))
    id_name = contract.id_name
    rows = predictions.merge(
        validated_applications[[id_name, dates[0]]], on=id_name, validate="one_to_one"
    )
    period = rows[dates[0]].dt.to_period(_PERIODS[evaluation.vintage])
    rows["vintage"] = period.astype("str")
    found = rows.groupby(["vintage", "split"], sort=True)
    lines = [
        {"vintage": vintage, "split": split, **_measured(part)}
        for (vintage, split), part in found
    ]
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _measured(rows: pd.DataFrame) -> dict[str, float]:
    bad = rows["bad"].to_numpy(np.float64)
    pd_ = rows["pd"].to_numpy(np.float64)
    bads = int(bad.sum())
    goods = len(bad) - bads
    auc = low = high = np.nan
    if bads and goods:
        auc = roc_auc(pd_, bad)
        low, high = auc_interval(auc, bads=bads, goods=goods, level=0.95)
    return {
        "rows": len(bad),
        "bads": bads,
        "bad_rate": float(bad.mean()),
        "mean_pd": float(pd_.mean()),
        "auc": auc,
        "auc_low": low,
        "auc_high": high,
    }
