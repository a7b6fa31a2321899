"""Feature set of the LendingClub loans: the loan, the applicant, the credit file.

What the lender decided (grade, interest rate, instalment) and what became of the
loan are not among the inputs, and neither is where the applicant lives.
"""

import inspect
import sys

from credit_scoring.features import (
    arithmetic,
    lending_club_credit,
    lending_club_loan,
)
from credit_scoring.features.definition import FeatureSet

REASONS: dict[str, str] = {
    "LOAN_SIZE": "The amount that you ask for is high.",
    "LOAN_TERM": "The term that you ask for is long.",
    "INCOME": "Your income is low.",
    "LOAN_TO_INCOME": "The amount that you ask for is high for your income.",
    "DEBT_BURDEN": "Your payments on debts take a large part of your income.",
    "EMPLOYMENT": "The length of your employment goes with higher risk.",
    "HOUSING": "Your housing situation goes with higher risk.",
    "PURPOSE": "The purpose of the loan goes with higher risk.",
    "DELINQUENCY": "You have been in arrears on other credit.",
    "INQUIRIES": "You have recently applied for credit with other lenders.",
    "PUBLIC_RECORDS": "Your credit file has derogatory public records.",
    "CREDIT_FILE": "The number of your credit lines goes with higher risk.",
    "UTILISATION": "You use a large part of your credit limits.",
    "REVOLVING_DEBT": "Your card debt is high for your income.",
    "CREDIT_LIMITS": (
        "Your credit limits are low, by themselves or for what you ask for."
    ),
}

FEATURE_SET = FeatureSet(
    name="lending_club",
    features=(*lending_club_loan.FEATURES, *lending_club_credit.FEATURES),
    reasons=REASONS,
    source="\n".join(
        inspect.getsource(module)
        for module in (
            arithmetic,
            lending_club_loan,
            lending_club_credit,
            sys.modules[__name__],
        )
    ),
)
