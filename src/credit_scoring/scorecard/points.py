"""The points table: what each bin adds to the score, for people."""

from dataclasses import dataclass

from credit_scoring.scorecard.model import Bin, Scorecard, Term
from credit_scoring.scorecard.scaling import ScoreScaling


@dataclass(frozen=True)
class BinPoints:
    """One line of the points table.

    Attributes:
        feature: Name of the feature.
        values: The bin's values in words, e.g. ``from 0.5 to below 1``.
        at_least: Lower bound, or None where there is none.
        below: Upper bound, or None where there is none.
        rows: Applications of the training split in the bin.
        bad_rate: Share of bads in the bin, in [0, 1]; NaN for an empty bin.
        woe: Weight of evidence; positive is safer.
        points: What the bin adds to the score, unrounded.
        rounded_points: The same in whole points.
    """

    feature: str
    values: str
    at_least: float | None
    below: float | None
    rows: int
    bad_rate: float
    woe: float
    points: float
    rounded_points: int


def points_table(
    scorecard: Scorecard, *, scaling: ScoreScaling, slope: float, intercept: float
) -> list[BinPoints]:
    """Turn a calibrated scorecard into points for each bin.

    An applicant's score is the sum of the points of the bins that they fall
    in, one of each feature. What does not depend on a bin (the offset of the
    scale, both intercepts) is shared evenly among the features.

    Args:
        scorecard: Bins and coefficients.
        scaling: PDO, and the score given at the base good:bad odds.
        slope: Slope of the calibration: log-odds = intercept + slope * margin.
        intercept: Intercept of the calibration.

    Source: Siddiqi, Credit Risk Scorecards (2006), chapter 6, Scorecard scaling.
    """
    terms = scorecard.table.terms
    log_odds = intercept + slope * scorecard.table.intercept
    share = (scaling.offset - scaling.factor * log_odds) / len(terms)
    unit = -scaling.factor * slope
    return [
        _line(term, item, share + unit * term.coefficient * item.woe)
        for term in terms
        for item in (*term.bins, term.missing)
    ]


def _line(term: Term, item: Bin, points: float) -> BinPoints:
    return BinPoints(
        feature=term.feature,
        values="missing" if item is term.missing else describe_bounds(item),
        at_least=item.at_least,
        below=item.below,
        rows=item.rows,
        bad_rate=item.bad_rate,
        woe=item.woe,
        points=points,
        rounded_points=round(points),
    )


def describe_bounds(item: Bin) -> str:
    """Say in words which values a bin holds."""
    if item.at_least is None:
        return f"below {item.below:.4g}"
    if item.below is None:
        return f"{item.at_least:.4g} or more"
    return f"{item.at_least:.4g} to below {item.below:.4g}"
