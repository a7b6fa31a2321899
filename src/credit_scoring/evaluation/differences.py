"""Differences between two models on realised outcomes, each with its error.

Every difference is a gain: above 0 the model in question is better. On the same
applicants they are paired; on two groups drawn at random they are not.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.calibration import losses
from credit_scoring.evaluation.delong import auc_covariance, compare_aucs
from credit_scoring.evaluation.sample import check_pds, check_sample

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]

_LEAST = 2  # rows: a variance needs two


@dataclass(frozen=True)
class Gain:
    """By how much the model in question is better.

    Attributes:
        measure: ``auc``, ``brier``, ``log_loss`` or ``profit``.
        model: The measure of the model in question.
        other: That of the model it is compared with.
        gain: Their difference, above 0 if the model in question is better.
        error: Its standard error.
    """

    measure: str
    model: float
    other: float
    gain: float
    error: float


@dataclass(frozen=True)
class Group:
    """Applicants with an outcome, and what a model said of them.

    Attributes:
        pd_: Probability of default, shape (n,), in (0, 1).
        bad: 1 for bad, 0 for good, shape (n,).
    """

    pd_: Values
    bad: Values

    def __post_init__(self) -> None:
        """Refuse what cannot be measured.

        Raises:
            EvaluationError: As `check_sample` and `check_pds`.
        """
        check_sample(self.pd_, self.bad, what="PDs")
        check_pds(self.pd_)

    @property
    def costs(self) -> dict[str, Values]:
        """What each applicant adds to the measures of which less is better."""
        return {
            "brier": (self.pd_ - self.bad) ** 2,
            "log_loss": losses(self.pd_, self.bad),
        }


def paired_gains(model: Group, other: Group) -> list[Gain]:
    """Compare two models on the same applicants: AUC, Brier score, log loss.

    Args:
        model: By the model in question.
        other: By the other, on the same rows.

    Raises:
        EvaluationError: If outcomes differ, or there are fewer than two goods or
            bads.

    Source: AUC as `compare_aucs`; the others are means of paired differences
        (Diebold & Mariano, Comparing Predictive Accuracy (1995), Journal of
        Business & Economic Statistics 13, for independent rows).
    """
    if not np.array_equal(model.bad, other.bad):
        raise EvaluationError("the two models' outcomes are not of the same applicants")
    aucs = compare_aucs(model.pd_, other.pd_, model.bad)
    gains = [Gain("auc", aucs.auc, aucs.other, aucs.difference, aucs.error)]
    for name, cost in model.costs.items():
        beside = other.costs[name]
        gain, error = _mean(beside - cost)
        gains.append(Gain(name, float(cost.mean()), float(beside.mean()), gain, error))
    return gains


def unpaired_gains(model: Group, other: Group) -> list[Gain]:
    """Compare two models on two groups: AUC, Brier score, log loss.

    Args:
        model: The model in question, on its group.
        other: The other, on the other group.

    Raises:
        EvaluationError: If a group has fewer than two goods or bads.

    Source: DeLong, DeLong & Clarke-Pearson (1988), each AUC with its own variance;
        the others are Welch's two-sample differences.
    """
    auc, variance = auc_covariance(model.pd_[None, :], model.bad)
    auc_other, variance_other = auc_covariance(other.pd_[None, :], other.bad)
    error = sqrt(float(variance[0, 0] + variance_other[0, 0]))
    first = float(auc[0]), float(auc_other[0])
    gains = [Gain("auc", *first, first[0] - first[1], error)]
    for name, cost in model.costs.items():
        mean, error = _mean(cost)
        beside, error_beside = _mean(other.costs[name])
        both = sqrt(error**2 + error_beside**2)
        gains.append(Gain(name, mean, beside, beside - mean, both))
    return gains


def paired_profit(earned: Values, other: Values, exposure: Values) -> Gain:
    """Compare what two policies earned on the same applicants.

    Args:
        earned: By the policy in question, shape (n,); 0 where it approves not.
        other: By the other, on the same applicants.
        exposure: Amount at stake, shape (n,).

    Returns:
        Shares of all that was at stake.

    Raises:
        EvaluationError: If there are fewer than two rows or nothing was at stake.

    Source: the variance of a ratio by linearisation, Cochran, Sampling Techniques
        (1977), section 6.3.
    """
    mine, theirs = _ratio(earned, exposure)[0], _ratio(other, exposure)[0]
    gain, error = _ratio(earned - other, exposure)
    return Gain("profit", mine, theirs, gain, error)


def unpaired_profit(
    earned: tuple[Values, Values], other: tuple[Values, Values]
) -> Gain:
    """Compare what two policies earned on two groups.

    Args:
        earned: By the policy in question, and the exposure, each of shape (n,).
        other: The same of the other group.

    Raises:
        EvaluationError: As `paired_profit`.

    Source: as `paired_profit`, each share with its own variance.
    """
    mine, error = _ratio(*earned)
    theirs, error_theirs = _ratio(*other)
    both = sqrt(error**2 + error_theirs**2)
    return Gain("profit", mine, theirs, mine - theirs, both)


def _mean(values: Values) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / sqrt(values.size))


def _ratio(part: Values, whole: Values) -> tuple[float, float]:
    if part.size < _LEAST or not whole.sum():
        raise EvaluationError(
            f"{part.size} applicants with {float(whole.sum()):g} at stake; a share "
            "needs two of them and something at stake"
        )
    ratio = float(part.sum() / whole.sum())
    _, error = _mean((part - ratio * whole) / whole.mean())
    return ratio, error
