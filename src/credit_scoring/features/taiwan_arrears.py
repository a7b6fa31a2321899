"""Repayment status of a credit-card account: how late, how often, how lately.

Month 1 is the newest. A status of 1 and above counts the months of delay; 0 is
revolving credit with the minimum paid, -1 is paid in full, -2 is no use of the
card. Months late are the status, or 0 if it is not positive. A feature is NaN
where one of its inputs is missing.
"""

import numpy as np

from credit_scoring.features.arithmetic import (
    at_least,
    equal_to,
    largest,
    share_of_limit,
    total,
)
from credit_scoring.features.definition import Values, feature


@feature(direction=0, reason="RECENT_DELINQUENCY")
def repayment_status_now(repayment_status_1: Values) -> Values:
    """Newest repayment status.

    Unit: status code. Range: -2 to 9. NaN if the status is missing.
    """
    return repayment_status_1 + 0.0


@feature(direction=1, reason="RECENT_DELINQUENCY")
def months_late_now(repayment_status_1: Values) -> Values:
    """Months late in the newest month.

    Unit: months. Range: 0 to 9. NaN if the status is missing.
    """
    return np.maximum(repayment_status_1, 0.0)


@feature(direction=1, reason="RECENT_DELINQUENCY")
def months_late_previous(repayment_status_2: Values) -> Values:
    """Months late one month before.

    Unit: months. Range: 0 to 9. NaN if the status is missing.
    """
    return np.maximum(repayment_status_2, 0.0)


@feature(direction=1, reason="RECENT_DELINQUENCY")
def months_late_worst_3m(
    repayment_status_1: Values, repayment_status_2: Values, repayment_status_3: Values
) -> Values:
    """Most months late in the newest three months.

    Unit: months. Range: 0 to 9. NaN if an input is missing.
    """
    newer = np.maximum(repayment_status_1, repayment_status_2)
    return np.maximum(np.maximum(newer, repayment_status_3), 0.0)


@feature(direction=1, reason="RECENT_DELINQUENCY")
def late_months_3m(
    repayment_status_1: Values, repayment_status_2: Values, repayment_status_3: Values
) -> Values:
    """Months of the newest three with a late payment.

    Unit: months. Range: 0 to 3. NaN if an input is missing.
    """
    months: Values = (
        at_least(repayment_status_1, 1.0)
        + at_least(repayment_status_2, 1.0)
        + at_least(repayment_status_3, 1.0)
    )
    return months


@feature(direction=-1, reason="RECENT_DELINQUENCY")
def months_since_late(
    repayment_status_1: Values,
    repayment_status_2: Values,
    repayment_status_3: Values,
    repayment_status_4: Values,
    repayment_status_5: Values,
    repayment_status_6: Values,
) -> Values:
    """Months since the last late payment.

    Unit: months. Range: 0 (late now) to 6 (never late in six months). NaN if an
    input is missing.
    """
    since = 1.0 - at_least(repayment_status_6, 1.0)
    since = (1.0 - at_least(repayment_status_5, 1.0)) * (1.0 + since)
    since = (1.0 - at_least(repayment_status_4, 1.0)) * (1.0 + since)
    since = (1.0 - at_least(repayment_status_3, 1.0)) * (1.0 + since)
    since = (1.0 - at_least(repayment_status_2, 1.0)) * (1.0 + since)
    return (1.0 - at_least(repayment_status_1, 1.0)) * (1.0 + since)


@feature(direction=1, reason="RECENT_DELINQUENCY")
def late_streak(
    repayment_status_1: Values,
    repayment_status_2: Values,
    repayment_status_3: Values,
    repayment_status_4: Values,
    repayment_status_5: Values,
    repayment_status_6: Values,
) -> Values:
    """Late months in a row, up to and including the newest.

    Unit: months. Range: 0 (not late now) to 6. NaN if an input is missing.
    """
    streak = at_least(repayment_status_6, 1.0)
    streak = at_least(repayment_status_5, 1.0) * (1.0 + streak)
    streak = at_least(repayment_status_4, 1.0) * (1.0 + streak)
    streak = at_least(repayment_status_3, 1.0) * (1.0 + streak)
    streak = at_least(repayment_status_2, 1.0) * (1.0 + streak)
    return at_least(repayment_status_1, 1.0) * (1.0 + streak)


@feature(direction=1, reason="RECENT_DELINQUENCY")
def late_balance(
    credit_limit: Values, repayment_status_1: Values, bill_amount_1: Values
) -> Values:
    """Newest bill as a share of the limit if payment is late, else 0.

    Unit: share of the limit. Range: 0 and above. NaN if an input is missing.
    """
    owed = at_least(repayment_status_1, 1.0) * np.maximum(bill_amount_1, 0.0)
    return share_of_limit(owed, credit_limit)


@feature(direction=1, reason="DELINQUENCY_HISTORY")
def months_late_worst_6m(
    repayment_status_1: Values,
    repayment_status_2: Values,
    repayment_status_3: Values,
    repayment_status_4: Values,
    repayment_status_5: Values,
    repayment_status_6: Values,
) -> Values:
    """Most months late in six months.

    Unit: months. Range: 0 to 9. NaN if an input is missing.
    """
    worst = largest(
        repayment_status_1,
        repayment_status_2,
        repayment_status_3,
        repayment_status_4,
        repayment_status_5,
        repayment_status_6,
    )
    months: Values = np.maximum(worst, 0.0)
    return months


@feature(direction=1, reason="DELINQUENCY_HISTORY")
def months_late_sum_6m(
    repayment_status_1: Values,
    repayment_status_2: Values,
    repayment_status_3: Values,
    repayment_status_4: Values,
    repayment_status_5: Values,
    repayment_status_6: Values,
) -> Values:
    """Months late, added over six months.

    Unit: months. Range: 0 to 54. NaN if an input is missing.
    """
    return total(
        np.maximum(repayment_status_1, 0.0),
        np.maximum(repayment_status_2, 0.0),
        np.maximum(repayment_status_3, 0.0),
        np.maximum(repayment_status_4, 0.0),
        np.maximum(repayment_status_5, 0.0),
        np.maximum(repayment_status_6, 0.0),
    )


@feature(direction=1, reason="DELINQUENCY_HISTORY")
def months_late_weighted_6m(
    repayment_status_1: Values,
    repayment_status_2: Values,
    repayment_status_3: Values,
    repayment_status_4: Values,
    repayment_status_5: Values,
    repayment_status_6: Values,
) -> Values:
    """Months late over six months, the newest counting most (weights 6 to 1, of 21).

    Unit: months. Range: 0 to 9. NaN if an input is missing.
    """
    weighted: Values = (
        6.0 * np.maximum(repayment_status_1, 0.0)
        + 5.0 * np.maximum(repayment_status_2, 0.0)
        + 4.0 * np.maximum(repayment_status_3, 0.0)
        + 3.0 * np.maximum(repayment_status_4, 0.0)
        + 2.0 * np.maximum(repayment_status_5, 0.0)
        + np.maximum(repayment_status_6, 0.0)
    )
    return weighted / 21.0


@feature(direction=1, reason="DELINQUENCY_HISTORY")
def late_months_6m(
    repayment_status_1: Values,
    repayment_status_2: Values,
    repayment_status_3: Values,
    repayment_status_4: Values,
    repayment_status_5: Values,
    repayment_status_6: Values,
) -> Values:
    """Months of six with a late payment.

    Unit: months. Range: 0 to 6. NaN if an input is missing.
    """
    return total(
        at_least(repayment_status_1, 1.0),
        at_least(repayment_status_2, 1.0),
        at_least(repayment_status_3, 1.0),
        at_least(repayment_status_4, 1.0),
        at_least(repayment_status_5, 1.0),
        at_least(repayment_status_6, 1.0),
    )


@feature(direction=1, reason="DELINQUENCY_HISTORY")
def months_two_late_6m(
    repayment_status_1: Values,
    repayment_status_2: Values,
    repayment_status_3: Values,
    repayment_status_4: Values,
    repayment_status_5: Values,
    repayment_status_6: Values,
) -> Values:
    """Months of six with a payment late by two months or more.

    Unit: months. Range: 0 to 6. NaN if an input is missing.
    """
    return total(
        at_least(repayment_status_1, 2.0),
        at_least(repayment_status_2, 2.0),
        at_least(repayment_status_3, 2.0),
        at_least(repayment_status_4, 2.0),
        at_least(repayment_status_5, 2.0),
        at_least(repayment_status_6, 2.0),
    )


@feature(direction=0, reason="STATUS_CHANGE")
def status_change_1m(repayment_status_1: Values, repayment_status_2: Values) -> Values:
    """Rise of the repayment status over one month.

    Unit: status steps. Range: -11 to 11. NaN if an input is missing.
    """
    return repayment_status_1 - repayment_status_2


@feature(direction=0, reason="STATUS_CHANGE")
def status_change_3m(repayment_status_1: Values, repayment_status_4: Values) -> Values:
    """Rise of the repayment status over three months.

    Unit: status steps. Range: -11 to 11. NaN if an input is missing.
    """
    return repayment_status_1 - repayment_status_4


@feature(direction=0, reason="ACCOUNT_USE")
def months_without_use_6m(
    repayment_status_1: Values,
    repayment_status_2: Values,
    repayment_status_3: Values,
    repayment_status_4: Values,
    repayment_status_5: Values,
    repayment_status_6: Values,
) -> Values:
    """Months of six in which the card was not used (status -2).

    Unit: months. Range: 0 to 6. NaN if an input is missing.
    """
    return total(
        equal_to(repayment_status_1, -2.0),
        equal_to(repayment_status_2, -2.0),
        equal_to(repayment_status_3, -2.0),
        equal_to(repayment_status_4, -2.0),
        equal_to(repayment_status_5, -2.0),
        equal_to(repayment_status_6, -2.0),
    )


@feature(direction=0, reason="ACCOUNT_USE")
def months_paid_in_full_6m(
    repayment_status_1: Values,
    repayment_status_2: Values,
    repayment_status_3: Values,
    repayment_status_4: Values,
    repayment_status_5: Values,
    repayment_status_6: Values,
) -> Values:
    """Months of six in which the bill was paid in full (status -1).

    Unit: months. Range: 0 to 6. NaN if an input is missing.
    """
    return total(
        equal_to(repayment_status_1, -1.0),
        equal_to(repayment_status_2, -1.0),
        equal_to(repayment_status_3, -1.0),
        equal_to(repayment_status_4, -1.0),
        equal_to(repayment_status_5, -1.0),
        equal_to(repayment_status_6, -1.0),
    )


@feature(direction=-1, reason="ACCOUNT_USE")
def months_revolving_6m(
    repayment_status_1: Values,
    repayment_status_2: Values,
    repayment_status_3: Values,
    repayment_status_4: Values,
    repayment_status_5: Values,
    repayment_status_6: Values,
) -> Values:
    """Months of six in which the credit revolved, with the minimum paid (status 0).

    Unit: months. Range: 0 to 6. NaN if an input is missing.
    """
    return total(
        equal_to(repayment_status_1, 0.0),
        equal_to(repayment_status_2, 0.0),
        equal_to(repayment_status_3, 0.0),
        equal_to(repayment_status_4, 0.0),
        equal_to(repayment_status_5, 0.0),
        equal_to(repayment_status_6, 0.0),
    )


FEATURES = (
    repayment_status_now,
    months_late_now,
    months_late_previous,
    months_late_worst_3m,
    late_months_3m,
    months_since_late,
    late_streak,
    late_balance,
    months_late_worst_6m,
    months_late_sum_6m,
    months_late_weighted_6m,
    late_months_6m,
    months_two_late_6m,
    status_change_1m,
    status_change_3m,
    months_without_use_6m,
    months_paid_in_full_6m,
    months_revolving_6m,
)
