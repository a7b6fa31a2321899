"""The search itself: fit each alternative, and score every applicant with it."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from credit_scoring.boosting.parameters import (
    BoostingParameters,
    Hyperparameters,
    SearchRange,
    SearchSpace,
)
from credit_scoring.errors import CreditScoringError
from credit_scoring.evaluation.calibration import shrunk_recalibration
from credit_scoring.features.definition import FeatureSet
from credit_scoring.pipelines.alternatives.candidates import Alternative
from credit_scoring.scorecard.scaling import ScoreScaling, score_from_log_odds

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Applicants:
    """Every applicant with features, split and outcome; nothing protected.

    Attributes:
        x: Feature matrix, shape (n, n_features).
        bad: 1 for bad, 0 for good, shape (n,).
        split: Name of each one's split, shape (n,).
    """

    x: Values
    bad: Values
    split: NDArray[np.str_]


@dataclass(frozen=True)
class Scored:
    """A model's view of every applicant.

    Attributes:
        alternative: Which model.
        margin: Uncalibrated log-odds of bad, shape (n,).
        score: Reported points, shape (n,).
    """

    alternative: Alternative
    margin: Values
    score: Values


@dataclass(frozen=True)
class Fitting:
    """What every fit shares.

    Attributes:
        features: The features with their directions.
        chosen: Hyper-parameters of the trained candidate.
        parameters: Its limits.
        scaling: The points scale.
        seed: Seed of the fits.
    """

    features: FeatureSet
    chosen: Hyperparameters
    parameters: BoostingParameters
    scaling: ScoreScaling
    seed: int


def fit_all(
    alternatives: Sequence[Alternative],
    applicants: Applicants,
    fitting: Fitting,
    *,
    time_limit_s: float,
    clock: Callable[[], float] = monotonic,
) -> list[Scored]:
    """Fit alternatives one after another until the time is over.

    Each is grown on train, stopped on validation and calibrated on calibration.
    One that cannot be fitted, as its features say nothing, is left out.

    Args:
        alternatives: In the order in which they are tried.
        applicants: Without anything protected, so that no fit can see it.
        fitting: What every fit shares.
        time_limit_s: No fit is begun after so long.
        clock: Seconds.
    """
    until = clock() + time_limit_s
    found = []
    with _progress(len(alternatives)) as advance:
        for alternative in alternatives:
            if clock() > until:
                break
            try:
                found.append(_fit(alternative, applicants, fitting))
            except CreditScoringError as error:
                _say(f"left out: {alternative.name}: {error}")
            advance()
    return found


def _fit(alternative: Alternative, applicants: Applicants, fitting: Fitting) -> Scored:
    # Imported where it is fitted: it is slow to import.
    from credit_scoring.boosting.fitting import fit_boosting

    names = fitting.features.names
    kept = [k for k, name in enumerate(names) if name not in alternative.dropped]
    x = np.ascontiguousarray(applicants.x[:, kept])
    train, validation, calibration = (
        applicants.split == name for name in ("train", "validation", "calibration")
    )
    model = fit_boosting(
        x[train],
        applicants.bad[train],
        x[validation],
        applicants.bad[validation],
        feature_names=[names[k] for k in kept],
        directions=[fitting.features.directions[k] for k in kept],
        parameters=_one_fit(fitting, alternative.changes),
    ).model
    margin = model.margin(x)
    line = shrunk_recalibration(margin[calibration], applicants.bad[calibration])
    log_odds = line.intercept + line.slope * margin
    return Scored(alternative, margin, reported_score(log_odds, fitting.scaling))


def reported_score(log_odds: Values, scaling: ScoreScaling) -> Values:
    """Score as decisions do: in tenths of a point, shape (n,)."""
    found: Values = np.rint(score_from_log_odds(log_odds, scaling) * 10) / 10
    return found


def _one_fit(fitting: Fitting, changes: Mapping[str, float]) -> BoostingParameters:
    """Parameters of a search that tries one point and no other."""
    point = fitting.chosen.model_copy(update=dict(changes))
    space = {
        name: SearchRange(low=getattr(point, name), high=getattr(point, name))
        for name in SearchSpace.model_fields
    }
    return fitting.parameters.model_copy(
        update={
            "seed": fitting.seed,
            "n_trials": 1,
            "starting_point": point,
            "search_space": SearchSpace(**space),
        }
    )


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar on standard error while a person looks on; silence otherwise."""
    console = Console(stderr=True)
    columns = (TextColumn("alternatives"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("alternatives", total=total)
        yield lambda: bar.advance(task)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
