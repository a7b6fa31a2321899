"""Payments of a credit-card account: against the bill, missed, sized.

Amounts are in NT$, month 1 is the newest. A payment settles the bill of the
month before it: ``payment_amount_1`` goes with ``bill_amount_2``. Where no bill
was due (zero or a credit) the payment ratio is 1: all that was due was paid. A
feature is NaN where one of its inputs is missing.
"""

import numpy as np

from credit_scoring.features.arithmetic import (
    above,
    deviation,
    mean,
    ratio,
    share_of_limit,
    smallest,
    total,
)
from credit_scoring.features.definition import Values, feature


@feature(direction=-1, reason="PAYMENT_RATIO")
def payment_ratio_now(bill_amount_2: Values, payment_amount_1: Values) -> Values:
    """Newest payment over the bill it settles.

    Unit: ratio. Range: 0 to 2 (capped); 1 without a bill. NaN if an input is
    missing.
    """
    return ratio(payment_amount_1, bill_amount_2, 1.0, 2.0)


@feature(direction=-1, reason="PAYMENT_RATIO")
def payment_ratio_previous(bill_amount_3: Values, payment_amount_2: Values) -> Values:
    """Payment of one month before over the bill it settles.

    Unit: ratio. Range: 0 to 2 (capped); 1 without a bill. NaN if an input is
    missing.
    """
    return ratio(payment_amount_2, bill_amount_3, 1.0, 2.0)


@feature(direction=-1, reason="PAYMENT_RATIO")
def payment_ratio_3m(
    bill_amount_2: Values,
    bill_amount_3: Values,
    bill_amount_4: Values,
    payment_amount_1: Values,
    payment_amount_2: Values,
    payment_amount_3: Values,
) -> Values:
    """Payments of three months over the bills they settle.

    Unit: ratio. Range: 0 to 2 (capped); 1 without bills. NaN if an input is
    missing.
    """
    paid = payment_amount_1 + payment_amount_2 + payment_amount_3
    return ratio(paid, bill_amount_2 + bill_amount_3 + bill_amount_4, 1.0, 2.0)


@feature(direction=-1, reason="PAYMENT_RATIO")
def payment_ratio_5m(
    bill_amount_2: Values,
    bill_amount_3: Values,
    bill_amount_4: Values,
    bill_amount_5: Values,
    bill_amount_6: Values,
    payment_amount_1: Values,
    payment_amount_2: Values,
    payment_amount_3: Values,
    payment_amount_4: Values,
    payment_amount_5: Values,
) -> Values:
    """Payments of five months over the bills they settle.

    Unit: ratio. Range: 0 to 2 (capped); 1 without bills. NaN if an input is
    missing.
    """
    paid = (
        payment_amount_1
        + payment_amount_2
        + payment_amount_3
        + payment_amount_4
        + payment_amount_5
    )
    billed = (
        bill_amount_2 + bill_amount_3 + bill_amount_4 + bill_amount_5 + bill_amount_6
    )
    return ratio(paid, billed, 1.0, 2.0)


@feature(direction=-1, reason="PAYMENT_RATIO")
def payment_ratio_lowest_5m(
    bill_amount_2: Values,
    bill_amount_3: Values,
    bill_amount_4: Values,
    bill_amount_5: Values,
    bill_amount_6: Values,
    payment_amount_1: Values,
    payment_amount_2: Values,
    payment_amount_3: Values,
    payment_amount_4: Values,
    payment_amount_5: Values,
) -> Values:
    """Lowest monthly ratio of payment to bill in five months.

    Unit: ratio. Range: 0 to 1 (capped); 1 without bills. NaN if an input is
    missing.
    """
    newest = ratio(payment_amount_1, bill_amount_2, 1.0, 1.0)
    second = ratio(payment_amount_2, bill_amount_3, 1.0, 1.0)
    third = ratio(payment_amount_3, bill_amount_4, 1.0, 1.0)
    fourth = ratio(payment_amount_4, bill_amount_5, 1.0, 1.0)
    fifth = ratio(payment_amount_5, bill_amount_6, 1.0, 1.0)
    return smallest(newest, second, third, fourth, fifth, fifth)


@feature(direction=1, reason="PAYMENT_RATIO")
def balance_after_payment(
    credit_limit: Values, bill_amount_2: Values, payment_amount_1: Values
) -> Values:
    """What the newest payment left of the bill it settles, as a share of the limit.

    Unit: share of the limit. Range: any; negative when more than the bill was
    paid. NaN if an input is missing.
    """
    return share_of_limit(bill_amount_2 - payment_amount_1, credit_limit)


@feature(direction=1, reason="MISSED_PAYMENTS")
def months_without_payment_6m(
    payment_amount_1: Values,
    payment_amount_2: Values,
    payment_amount_3: Values,
    payment_amount_4: Values,
    payment_amount_5: Values,
    payment_amount_6: Values,
) -> Values:
    """Months of six without any payment, whether or not a bill was due.

    Unit: months. Range: 0 to 6. NaN if an input is missing.
    """
    return 6.0 - total(
        above(payment_amount_1, 0.0),
        above(payment_amount_2, 0.0),
        above(payment_amount_3, 0.0),
        above(payment_amount_4, 0.0),
        above(payment_amount_5, 0.0),
        above(payment_amount_6, 0.0),
    )


@feature(direction=1, reason="MISSED_PAYMENTS")
def unpaid_bills_5m(
    bill_amount_2: Values,
    bill_amount_3: Values,
    bill_amount_4: Values,
    bill_amount_5: Values,
    bill_amount_6: Values,
    payment_amount_1: Values,
    payment_amount_2: Values,
    payment_amount_3: Values,
    payment_amount_4: Values,
    payment_amount_5: Values,
) -> Values:
    """Months of five in which a bill was due and nothing was paid.

    Unit: months. Range: 0 to 5. NaN if an input is missing.
    """
    months: Values = (
        above(bill_amount_2, 0.0) * (1.0 - above(payment_amount_1, 0.0))
        + above(bill_amount_3, 0.0) * (1.0 - above(payment_amount_2, 0.0))
        + above(bill_amount_4, 0.0) * (1.0 - above(payment_amount_3, 0.0))
        + above(bill_amount_5, 0.0) * (1.0 - above(payment_amount_4, 0.0))
        + above(bill_amount_6, 0.0) * (1.0 - above(payment_amount_5, 0.0))
    )
    return months


@feature(direction=-1, reason="PAYMENT_SIZE")
def payment_newest(payment_amount_1: Values) -> Values:
    """Newest payment.

    Unit: NT$. Range: 0 and above. NaN if the payment is missing.
    """
    return payment_amount_1 + 0.0


@feature(direction=-1, reason="PAYMENT_SIZE")
def payment_lowest_3m(
    payment_amount_1: Values, payment_amount_2: Values, payment_amount_3: Values
) -> Values:
    """Lowest payment of three months.

    Unit: NT$. Range: 0 and above. NaN if an input is missing.
    """
    return np.minimum(np.minimum(payment_amount_1, payment_amount_2), payment_amount_3)


@feature(direction=-1, reason="PAYMENT_SIZE")
def payment_lowest_6m(
    payment_amount_1: Values,
    payment_amount_2: Values,
    payment_amount_3: Values,
    payment_amount_4: Values,
    payment_amount_5: Values,
    payment_amount_6: Values,
) -> Values:
    """Lowest payment of six months.

    Unit: NT$. Range: 0 and above. NaN if an input is missing.
    """
    return smallest(
        payment_amount_1,
        payment_amount_2,
        payment_amount_3,
        payment_amount_4,
        payment_amount_5,
        payment_amount_6,
    )


@feature(direction=-1, reason="PAYMENT_SIZE")
def payment_mean_6m(
    payment_amount_1: Values,
    payment_amount_2: Values,
    payment_amount_3: Values,
    payment_amount_4: Values,
    payment_amount_5: Values,
    payment_amount_6: Values,
) -> Values:
    """Mean payment of six months.

    Unit: NT$. Range: 0 and above. NaN if an input is missing.
    """
    return mean(
        payment_amount_1,
        payment_amount_2,
        payment_amount_3,
        payment_amount_4,
        payment_amount_5,
        payment_amount_6,
    )


@feature(direction=0, reason="PAYMENT_PATTERN")
def payment_share_of_limit_now(
    credit_limit: Values, payment_amount_1: Values
) -> Values:
    """Newest payment as a share of the limit.

    Unit: share of the limit. Range: 0 and above. NaN if an input is missing.
    """
    return share_of_limit(payment_amount_1, credit_limit)


@feature(direction=0, reason="PAYMENT_PATTERN")
def payment_share_of_limit_3m(
    credit_limit: Values,
    payment_amount_1: Values,
    payment_amount_2: Values,
    payment_amount_3: Values,
) -> Values:
    """Payments of three months as a share of the limit.

    Unit: share of the limit. Range: 0 and above. NaN if an input is missing.
    """
    paid = payment_amount_1 + payment_amount_2 + payment_amount_3
    return share_of_limit(paid, credit_limit)


@feature(direction=0, reason="PAYMENT_PATTERN")
def payment_volatility_6m(
    payment_amount_1: Values,
    payment_amount_2: Values,
    payment_amount_3: Values,
    payment_amount_4: Values,
    payment_amount_5: Values,
    payment_amount_6: Values,
) -> Values:
    """Standard deviation of six payments over their mean.

    Unit: ratio. Range: 0 to 2.24; 0 without any payment. NaN if an input is
    missing.
    """
    spread = deviation(
        payment_amount_1,
        payment_amount_2,
        payment_amount_3,
        payment_amount_4,
        payment_amount_5,
        payment_amount_6,
    )
    centre = mean(
        payment_amount_1,
        payment_amount_2,
        payment_amount_3,
        payment_amount_4,
        payment_amount_5,
        payment_amount_6,
    )
    return ratio(spread, centre, 0.0, 3.0)


@feature(direction=0, reason="PAYMENT_PATTERN")
def payment_change_3m(
    credit_limit: Values,
    payment_amount_1: Values,
    payment_amount_2: Values,
    payment_amount_3: Values,
    payment_amount_4: Values,
    payment_amount_5: Values,
    payment_amount_6: Values,
) -> Values:
    """Payments of the newest three months less the three before, over the limit.

    Unit: share of the limit. Range: any. NaN if an input is missing.
    """
    newer = payment_amount_1 + payment_amount_2 + payment_amount_3
    older = payment_amount_4 + payment_amount_5 + payment_amount_6
    return share_of_limit(newer - older, credit_limit)


FEATURES = (
    payment_ratio_now,
    payment_ratio_previous,
    payment_ratio_3m,
    payment_ratio_5m,
    payment_ratio_lowest_5m,
    balance_after_payment,
    months_without_payment_6m,
    unpaid_bills_5m,
    payment_newest,
    payment_lowest_3m,
    payment_lowest_6m,
    payment_mean_6m,
    payment_share_of_limit_now,
    payment_share_of_limit_3m,
    payment_volatility_6m,
    payment_change_3m,
)
