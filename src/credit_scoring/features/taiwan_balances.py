"""Limit and balances of a credit-card account: use, its change, and spending.

Amounts are in NT$, month 1 is the newest; a negative bill is a credit in the
customer's favour. A feature is NaN where one of its inputs is missing.
"""

from credit_scoring.features.arithmetic import (
    above,
    deviation,
    largest,
    mean,
    share_of_limit,
    smallest,
    total,
)
from credit_scoring.features.definition import Values, feature


@feature(direction=-1, reason="CREDIT_LIMIT")
def credit_limit_granted(credit_limit: Values) -> Values:
    """Credit limit.

    Unit: NT$. Range: that of the contract. NaN if the limit is missing.
    """
    return credit_limit + 0.0


@feature(direction=-1, reason="CREDIT_LIMIT")
def unused_limit(credit_limit: Values, bill_amount_1: Values) -> Values:
    """Part of the limit that the newest bill leaves free.

    Unit: NT$. Range: any; negative over the limit. NaN if an input is missing.
    """
    return credit_limit - bill_amount_1


@feature(direction=1, reason="UTILISATION")
def utilisation_now(credit_limit: Values, bill_amount_1: Values) -> Values:
    """Newest bill as a share of the limit.

    Unit: share of the limit. Range: any; above 1 over the limit, negative for
    a credit. NaN if an input is missing.
    """
    return share_of_limit(bill_amount_1, credit_limit)


@feature(direction=1, reason="UTILISATION")
def utilisation_previous(credit_limit: Values, bill_amount_2: Values) -> Values:
    """Bill of one month before as a share of the limit.

    Unit: share of the limit. Range: any. NaN if an input is missing.
    """
    return share_of_limit(bill_amount_2, credit_limit)


@feature(direction=1, reason="UTILISATION")
def utilisation_mean_6m(
    credit_limit: Values,
    bill_amount_1: Values,
    bill_amount_2: Values,
    bill_amount_3: Values,
    bill_amount_4: Values,
    bill_amount_5: Values,
    bill_amount_6: Values,
) -> Values:
    """Mean bill of six months as a share of the limit.

    Unit: share of the limit. Range: any. NaN if an input is missing.
    """
    centre = mean(
        bill_amount_1,
        bill_amount_2,
        bill_amount_3,
        bill_amount_4,
        bill_amount_5,
        bill_amount_6,
    )
    return share_of_limit(centre, credit_limit)


@feature(direction=1, reason="UTILISATION")
def utilisation_highest_6m(
    credit_limit: Values,
    bill_amount_1: Values,
    bill_amount_2: Values,
    bill_amount_3: Values,
    bill_amount_4: Values,
    bill_amount_5: Values,
    bill_amount_6: Values,
) -> Values:
    """Highest bill of six months as a share of the limit.

    Unit: share of the limit. Range: any. NaN if an input is missing.
    """
    top = largest(
        bill_amount_1,
        bill_amount_2,
        bill_amount_3,
        bill_amount_4,
        bill_amount_5,
        bill_amount_6,
    )
    return share_of_limit(top, credit_limit)


@feature(direction=1, reason="UTILISATION")
def utilisation_lowest_6m(
    credit_limit: Values,
    bill_amount_1: Values,
    bill_amount_2: Values,
    bill_amount_3: Values,
    bill_amount_4: Values,
    bill_amount_5: Values,
    bill_amount_6: Values,
) -> Values:
    """Lowest bill of six months as a share of the limit.

    Unit: share of the limit. Range: any. NaN if an input is missing.
    """
    bottom = smallest(
        bill_amount_1,
        bill_amount_2,
        bill_amount_3,
        bill_amount_4,
        bill_amount_5,
        bill_amount_6,
    )
    return share_of_limit(bottom, credit_limit)


@feature(direction=1, reason="UTILISATION")
def months_over_limit_6m(
    credit_limit: Values,
    bill_amount_1: Values,
    bill_amount_2: Values,
    bill_amount_3: Values,
    bill_amount_4: Values,
    bill_amount_5: Values,
    bill_amount_6: Values,
) -> Values:
    """Months of six in which the bill was above the limit.

    Unit: months. Range: 0 to 6. NaN if an input is missing.
    """
    return total(
        above(bill_amount_1, credit_limit),
        above(bill_amount_2, credit_limit),
        above(bill_amount_3, credit_limit),
        above(bill_amount_4, credit_limit),
        above(bill_amount_5, credit_limit),
        above(bill_amount_6, credit_limit),
    )


@feature(direction=0, reason="BALANCE_CHANGE")
def utilisation_change_1m(
    credit_limit: Values, bill_amount_1: Values, bill_amount_2: Values
) -> Values:
    """Rise of the bill over one month as a share of the limit.

    Unit: share of the limit. Range: any. NaN if an input is missing.
    """
    return share_of_limit(bill_amount_1 - bill_amount_2, credit_limit)


@feature(direction=0, reason="BALANCE_CHANGE")
def utilisation_change_3m(
    credit_limit: Values, bill_amount_1: Values, bill_amount_4: Values
) -> Values:
    """Rise of the bill over three months as a share of the limit.

    Unit: share of the limit. Range: any. NaN if an input is missing.
    """
    return share_of_limit(bill_amount_1 - bill_amount_4, credit_limit)


@feature(direction=0, reason="BALANCE_CHANGE")
def utilisation_trend_6m(
    credit_limit: Values,
    bill_amount_1: Values,
    bill_amount_2: Values,
    bill_amount_3: Values,
    bill_amount_4: Values,
    bill_amount_5: Values,
    bill_amount_6: Values,
) -> Values:
    """Slope of the least-squares line through six months of utilisation.

    Unit: share of the limit a month; positive when the balance grows. Range:
    any. NaN if an input is missing.
    """
    # The months lie at -2.5 .. 2.5, whose squares add to 17.5: weights 5 3 1 over 35.
    weighted = (
        5.0 * (bill_amount_1 - bill_amount_6)
        + 3.0 * (bill_amount_2 - bill_amount_5)
        + (bill_amount_3 - bill_amount_4)
    )
    return share_of_limit(weighted / 35.0, credit_limit)


@feature(direction=0, reason="BALANCE_CHANGE")
def utilisation_volatility_6m(
    credit_limit: Values,
    bill_amount_1: Values,
    bill_amount_2: Values,
    bill_amount_3: Values,
    bill_amount_4: Values,
    bill_amount_5: Values,
    bill_amount_6: Values,
) -> Values:
    """Standard deviation of six months of utilisation.

    Unit: share of the limit. Range: 0 and above. NaN if an input is missing.
    """
    spread = deviation(
        bill_amount_1,
        bill_amount_2,
        bill_amount_3,
        bill_amount_4,
        bill_amount_5,
        bill_amount_6,
    )
    return share_of_limit(spread, credit_limit)


@feature(direction=0, reason="SPENDING")
def spending_now(
    bill_amount_1: Values, bill_amount_2: Values, payment_amount_1: Values
) -> Values:
    """Spending in the newest month: the bill's rise plus what was paid.

    Unit: NT$. Range: any; negative after refunds. NaN if an input is missing.
    """
    return bill_amount_1 - bill_amount_2 + payment_amount_1


@feature(direction=0, reason="SPENDING")
def spending_share_of_limit_now(
    credit_limit: Values,
    bill_amount_1: Values,
    bill_amount_2: Values,
    payment_amount_1: Values,
) -> Values:
    """Spending in the newest month as a share of the limit.

    Unit: share of the limit. Range: any. NaN if an input is missing.
    """
    return share_of_limit(
        bill_amount_1 - bill_amount_2 + payment_amount_1, credit_limit
    )


@feature(direction=0, reason="SPENDING")
def spending_share_of_limit_5m(
    credit_limit: Values,
    bill_amount_1: Values,
    bill_amount_6: Values,
    payment_amount_1: Values,
    payment_amount_2: Values,
    payment_amount_3: Values,
    payment_amount_4: Values,
    payment_amount_5: Values,
) -> Values:
    """Mean monthly spending of five months as a share of the limit.

    Unit: share of the limit a month. Range: any. NaN if an input is missing.
    """
    paid = (
        payment_amount_1
        + payment_amount_2
        + payment_amount_3
        + payment_amount_4
        + payment_amount_5
    )
    return share_of_limit((bill_amount_1 - bill_amount_6 + paid) / 5.0, credit_limit)


FEATURES = (
    credit_limit_granted,
    unused_limit,
    utilisation_now,
    utilisation_previous,
    utilisation_mean_6m,
    utilisation_highest_6m,
    utilisation_lowest_6m,
    months_over_limit_6m,
    utilisation_change_1m,
    utilisation_change_3m,
    utilisation_trend_6m,
    utilisation_volatility_6m,
    spending_now,
    spending_share_of_limit_now,
    spending_share_of_limit_5m,
)
