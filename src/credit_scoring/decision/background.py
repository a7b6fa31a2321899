"""The background of the reasons: applicants who were just approved."""

import numpy as np
from numpy.typing import NDArray

from credit_scoring.decision.decisions import Decisions, Outcome
from credit_scoring.decision.parameters import BackgroundParameters
from credit_scoring.errors import PolicyError


def just_approved(
    decisions: Decisions, approve_from: float, parameters: BackgroundParameters
) -> NDArray[np.float64]:
    """Choose the applicants whom a reason compares an applicant with.

    A reason then says what separates an applicant from those just above the
    cut-off. Hundreds of rows are needed for it to be stable: against few, the
    reasons depend on who happens to be among them.

    Args:
        decisions: Decisions on the training applications.
        approve_from: Approve cut-off, in points.
        parameters: Width in points, and the least number of rows.

    Returns:
        Feature rows of approved applicants, the lowest-scored first (equal
        scores in their given order), shape (n_background, n_features).

    Raises:
        PolicyError: If fewer than ``minimum_rows`` were approved.
    """
    approved = np.flatnonzero(decisions.outcome == Outcome.APPROVE)
    if approved.size < parameters.minimum_rows:
        raise PolicyError(
            f"{approved.size} of {len(decisions)} training applications are approved; "
            f"the reasons need at least {parameters.minimum_rows} to compare with: "
            "lower approve_from, or background.minimum_rows"
        )
    order = approved[np.argsort(decisions.score[approved], kind="stable")]
    limit = approve_from + parameters.within_points
    near = int((decisions.score[order] <= limit).sum())
    chosen = order[: max(near, parameters.minimum_rows)]
    return np.ascontiguousarray(decisions.features[chosen])
