"""Test AUC and calibration of both candidate families over five splits.

Run it after `kedro run --pipelines ingestion,validation`, from the project:

    python tests/benchmarks/five_seed_auc.py

It splits the accepted rows anew with five salts, fits each family with the
shipped parameters, recalibrates on the calibration rows and prints a table.
"""

import argparse
import importlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from credit_scoring.contract.model import Contract
from credit_scoring.evaluation.calibration import shrunk_recalibration
from credit_scoring.features.definition import load_feature_set
from credit_scoring.pipelines.feature_engineering.nodes import (
    assign_splits,
    compute_features,
)
from credit_scoring.pipelines.feature_engineering.parameters import (
    FeatureEngineeringParameters,
)

PROJECT = Path(__file__).parents[2]
ROWS = PROJECT / "data/02_intermediate/validated_applications.parquet"
N_SALTS = 5
BARS = {"boosting": 0.780, "scorecard": 0.768}

# Family -> module, fitting function, parameter model.
FAMILIES = {
    "boosting": ("credit_scoring.boosting", "fit_boosting", "BoostingParameters"),
    "scorecard": ("credit_scoring.scorecard", "fit_scorecard", "ScorecardParameters"),
}


@dataclass(frozen=True)
class Outcome:
    """What one fit came to."""

    auc: float
    validation_auc: float
    slope: float
    seconds: float
    chosen: Mapping[str, Any]


Sample = tuple[NDArray[np.float64], NDArray[np.float64]]


def read_parameters(name: str) -> dict[str, Any]:
    """Read one group of the shipped parameters."""
    path = PROJECT / f"conf/base/parameters_{name}.yml"
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document[name]


def fitting_function(family: str) -> Callable[..., Any]:
    """Give the family's fitting function, bound to its shipped parameters."""
    package, function, model = FAMILIES[family]
    fitting = importlib.import_module(f"{package}.fitting")
    holder = fitting if hasattr(fitting, model) else None
    holder = holder or importlib.import_module(f"{package}.parameters")
    parameters = getattr(holder, model).model_validate(read_parameters(family))
    return lambda *samples, **names: getattr(fitting, function)(
        *samples, **names, parameters=parameters
    )


def slope_on(margin: NDArray[np.float64], bad: NDArray[np.float64]) -> float:
    """Slope of the outcome's log-odds on the margin, by scikit-learn."""
    line = LogisticRegression(C=np.inf, tol=1e-8).fit(margin[:, None], bad)
    return float(line.coef_[0, 0])


def measure(
    fit: Callable[..., Any], samples: Mapping[str, Sample], **names: Any
) -> Outcome:
    """Fit on train and validation, recalibrate, and measure on test."""
    start = time.perf_counter()
    fitted = fit(*samples["train"], *samples["validation"], **names)
    seconds = time.perf_counter() - start
    margin = {split: fitted.model.margin(x) for split, (x, _) in samples.items()}
    bad = {split: outcome for split, (_, outcome) in samples.items()}
    fit = shrunk_recalibration(margin["calibration"], bad["calibration"])
    calibrated = fit.intercept + fit.slope * margin["test"]
    return Outcome(
        auc=float(roc_auc_score(bad["test"], margin["test"])),
        validation_auc=float(roc_auc_score(bad["validation"], margin["validation"])),
        slope=slope_on(calibrated, bad["test"]),
        seconds=seconds,
        chosen=fitted.chosen,
    )


def samples_of(rows: pd.DataFrame, contract: Contract, salt: str) -> dict[str, Sample]:
    """Features and outcomes of each split, split with this salt."""
    document = read_parameters("feature_engineering")
    document["split"]["salt"] = salt
    parameters = FeatureEngineeringParameters.model_validate(document)
    x = compute_features(rows, contract, parameters).iloc[:, 1:].to_numpy(np.float64)
    splits = assign_splits(rows, contract, parameters)
    bad = splits["bad"].to_numpy(np.float64)
    return {
        str(name): (x[places], bad[places])
        for name, places in splits.groupby("split").indices.items()
    }


def render(family: str, outcomes: list[Outcome]) -> Table:
    """One line a split, and their mean and spread."""
    table = Table(title=f"{family} (bar: mean test AUC {BARS[family]:.3f})")
    names = ("split", "test AUC", "validation AUC", "calibration slope", "seconds")
    for name in names:
        table.add_column(name, justify="right")
    figures = np.array(
        [[o.auc, o.validation_auc, o.slope, o.seconds] for o in outcomes]
    )
    labels = [str(n + 1) for n in range(len(outcomes))]
    for label, line in zip(
        [*labels, "mean", "spread"],
        [*figures, figures.mean(axis=0), figures.std(axis=0, ddof=1)],
        strict=True,
    ):
        table.add_row(label, *[f"{v:.4f}" for v in line[:3]], f"{line[3]:.1f}")
    return table


def main() -> None:
    """Print the table of each family; write it as JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=Path, default=ROWS)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=[*FAMILIES])
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    arguments = parser.parse_args()
    contract = Contract.model_validate(read_parameters("contract"))
    rows = pd.read_parquet(arguments.rows)
    name = read_parameters("feature_engineering")["feature_set"]
    feature_set = load_feature_set(name)
    found: dict[str, list[Outcome]] = {family: [] for family in arguments.families}
    for number in range(N_SALTS):
        samples = samples_of(rows, contract, f"five-splits-{number}")
        for family, outcomes in found.items():
            outcome = measure(
                fitting_function(family),
                samples,
                feature_names=feature_set.names,
                directions=feature_set.directions,
            )
            outcomes.append(outcome)
    for family, outcomes in found.items():
        Console().print(render(family, outcomes))
    if arguments.json:
        figures = {f: [vars(o) for o in outcomes] for f, outcomes in found.items()}
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
