"""Feature set of the Taiwan credit-card accounts: limit, six months, no person.

The features read the limit and six months of bills, payments and repayment
status. Sex, education, marital status and age are not among their inputs.
"""

import inspect
import sys

from credit_scoring.features import (
    arithmetic,
    taiwan_arrears,
    taiwan_balances,
    taiwan_payments,
)
from credit_scoring.features.definition import FeatureSet

REASONS: dict[str, str] = {
    "RECENT_DELINQUENCY": "You have paid late in recent months.",
    "DELINQUENCY_HISTORY": "You have paid late, or very late, in the last six months.",
    "STATUS_CHANGE": (
        "Your repayment status has changed in a way that goes with higher risk."
    ),
    "MISSED_PAYMENTS": "In some recent months you made no payment.",
    "PAYMENT_RATIO": "Your recent payments cover a small part of what was billed.",
    "PAYMENT_SIZE": "Your recent payments are small.",
    "PAYMENT_PATTERN": (
        "The pattern of your payments over the last months goes with higher risk."
    ),
    "UTILISATION": "You use a large part of your credit limit.",
    "BALANCE_CHANGE": (
        "Your balance has changed over the last months in a way that goes with "
        "higher risk."
    ),
    "CREDIT_LIMIT": "Your credit limit, or the part of it that is free, is low.",
    "SPENDING": (
        "Your recent card spending follows a pattern that goes with higher risk."
    ),
    "ACCOUNT_USE": (
        "The way you used your account month by month goes with higher risk."
    ),
}

FEATURE_SET = FeatureSet(
    name="taiwan_default",
    features=(
        *taiwan_balances.FEATURES,
        *taiwan_payments.FEATURES,
        *taiwan_arrears.FEATURES,
    ),
    reasons=REASONS,
    source="\n".join(
        inspect.getsource(module)
        for module in (
            arithmetic,
            taiwan_balances,
            taiwan_payments,
            taiwan_arrears,
            sys.modules[__name__],
        )
    ),
)
