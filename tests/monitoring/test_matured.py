"""PDs beside what became of the loans."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.monitoring.matured import measure_matured
from credit_scoring.monitoring.parameters import OutcomeMarks

MARKS = OutcomeMarks()


def matured(rows: int, shift: float = 0.0, slope: float = 1.0) -> pd.DataFrame:
    """Outcomes of PDs whose log-odds are wrong by a shift and a slope."""
    generator = np.random.default_rng(3)
    pd_ = generator.beta(2, 6, rows).clip(0.01, 0.99)
    odds = slope * np.log(pd_ / (1 - pd_)) + shift
    bad = generator.random(rows) < 1 / (1 + np.exp(-odds))
    return pd.DataFrame(
        {
            "pd": pd_,
            "bad": pd.array(bad.astype(int), dtype="Int8"),
            "status": np.where(bad, "bad", "good"),
            "model_digest": "d" * 64,
        }
    )


@pytest.mark.parametrize(
    ("shift", "slope", "verdict"),
    [(0, 1, "ok"), (0.35, 1, "warn"), (0.8, 1, "alert"), (0, 0.3, "warn")],
)
def test_outcomes_contradict_the_pds_or_do_not(
    shift: float, slope: float, verdict: str
) -> None:
    table = matured(4000, shift, slope)
    if slope != 1:
        # The mean is right, and the spread is not.
        table["pd"] = table["pd"].mean() + 3 * (table["pd"] - table["pd"].mean())
        table = table.loc[table["pd"].between(0.01, 0.99)]
    _, (finding,) = measure_matured(table, MARKS)
    assert finding.subject == "calibration"
    assert finding.verdict in ({verdict} if slope == 1 else {"warn", "alert"})


def test_the_declined_and_the_unripe_are_not_counted() -> None:
    table = matured(4000)
    table.loc[:999, ["status", "bad"]] = ["declined", pd.NA]
    figures, _ = measure_matured(table, MARKS)
    (model,) = figures["models"].values()
    assert model["outcomes"] == 3000
    assert "declined" in figures["selection"]["bad_rate"]


@pytest.mark.parametrize("rows", [199, 0])
def test_too_few_outcomes_say_so(rows: int) -> None:
    figures, findings = measure_matured(matured(rows), MARKS)
    assert findings == []
    assert "absent" in str(figures)


def test_without_the_outcomes_pipeline_the_figures_say_so() -> None:
    figures, findings = measure_matured(None, MARKS)
    assert figures == {"absent": "the outcomes pipeline has made no matured outcomes"}
    assert findings == []


def test_outcomes_that_cannot_be_fitted_say_why() -> None:
    table = matured(400)
    table["pd"] = 0.3
    figures, findings = measure_matured(table, MARKS)
    assert findings == []
    assert "absent" in next(iter(figures["models"].values()))
