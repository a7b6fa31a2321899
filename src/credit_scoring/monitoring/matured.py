"""Calibration and discrimination on matured outcomes."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.calibration import brier
from credit_scoring.evaluation.calibration_tests import calibration_line
from credit_scoring.evaluation.discrimination import roc_auc
from credit_scoring.monitoring.parameters import OutcomeMarks
from credit_scoring.monitoring.publication import Finding, Verdict, worst
from credit_scoring.outcomes.report import SELECTION

Json = dict[str, Any]
Values = NDArray[np.float64]

_LEAST_SHARE = 10


def measure_matured(
    matured: pd.DataFrame | None, marks: OutcomeMarks
) -> tuple[Json, list[Finding]]:
    """Set the PDs beside what became of the loans, model by model.

    Args:
        matured: Decisions with ``status``, ``bad``, ``pd`` and ``model_digest``, as
            the outcomes pipeline makes them; None if it has not run.
        marks: What contradicts the PDs.

    Returns:
        Figures by model, and a finding for each that has enough outcomes; where none
        has, the figures say so and nothing is found.
    """
    if matured is None or matured.empty:
        return {"absent": "the outcomes pipeline has made no matured outcomes"}, []
    known = matured.loc[matured["status"].isin(["good", "bad"]) & matured["pd"].notna()]
    models: Json = {}
    findings: list[Finding] = []
    for digest, rows in known.groupby("model_digest"):
        figures = _measure(
            rows["pd"].to_numpy("float64"), rows["bad"].to_numpy("float64"), marks
        )
        models[str(digest)] = figures
        if "calibration" in figures:
            findings.append(_finding(str(digest), figures, marks))
    return {"models": models, "selection": SELECTION}, findings


def _measure(pd_: Values, bad: Values, marks: OutcomeMarks) -> Json:
    figures: Json = {"outcomes": len(bad), "bads": int(bad.sum())}
    fewest = min(figures["bads"], len(bad) - figures["bads"])
    if len(bad) < marks.least or fewest < marks.least / _LEAST_SHARE:
        return figures | {"absent": f"too few outcomes; {marks.least} are needed"}
    try:
        line = calibration_line(pd_, bad, level=marks.level)
    except EvaluationError as error:
        return figures | {"absent": str(error)}
    return figures | {
        "bad_rate": float(bad.mean()),
        "mean_pd": float(pd_.mean()),
        "brier": brier(pd_, bad),
        "auc": roc_auc(pd_, bad),
        "calibration": asdict(line),
    }


def _finding(digest: str, figures: Json, marks: OutcomeMarks) -> Finding:
    line = figures["calibration"]
    shift = line["in_the_large"]
    verdicts: list[Verdict] = ["ok"]
    if line["in_the_large_low"] > 0 or line["in_the_large_high"] < 0:
        if abs(shift) >= marks.in_the_large_alert:
            verdicts.append("alert")
        elif abs(shift) >= marks.in_the_large_warn:
            verdicts.append("warn")
    if line["slope_high"] < marks.slope_low or line["slope_low"] > marks.slope_high:
        verdicts.append("warn")
    message = (
        f"model {digest[:12]}: bad rate {figures['bad_rate']:.3f} of "
        f"{figures['outcomes']} matured, mean PD {figures['mean_pd']:.3f}; slope "
        f"{line['slope']:.2f}, shift {shift:+.2f}"
    )
    return Finding("calibration", worst(verdicts), message, shift)
