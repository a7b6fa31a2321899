"""The loan that is asked for, and who asks: amount, term, income, work, home, purpose.

Amounts are in US$. Categories arrive as the contract's codes. A feature is NaN
where one of its inputs is missing.
"""

from credit_scoring.features.arithmetic import equal_to, share_of_limit
from credit_scoring.features.definition import Values, feature

# Codes of the contract's categories.
MORTGAGE, OWN, RENT = 1.0, 2.0, 3.0
CAR, CREDIT_CARD, DEBT_CONSOLIDATION, EDUCATIONAL = 1.0, 2.0, 3.0, 4.0
HOME_IMPROVEMENT, MAJOR_PURCHASE, MEDICAL, MOVING = 5.0, 7.0, 8.0, 9.0
OTHER, RENEWABLE_ENERGY, SMALL_BUSINESS, VACATION, WEDDING = (
    10.0,
    11.0,
    12.0,
    13.0,
    14.0,
)


@feature(direction=1, reason="LOAN_SIZE")
def amount_asked_for(loan_amount: Values) -> Values:
    """Amount asked for.

    Unit: US$. Range: that of the contract. NaN if it is missing.
    """
    return loan_amount + 0.0


@feature(direction=1, reason="LOAN_TERM")
def term_asked_for(term_months: Values) -> Values:
    """Term asked for.

    Unit: months. Range: 36 or 60. NaN if it is missing.
    """
    return term_months + 0.0


@feature(direction=-1, reason="INCOME")
def income_stated(annual_income: Values) -> Values:
    """Income that the applicant states.

    Unit: US$ a year. Range: that of the contract. NaN if it is missing.
    """
    return annual_income + 0.0


@feature(direction=1, reason="LOAN_TO_INCOME")
def loan_to_income(loan_amount: Values, annual_income: Values) -> Values:
    """Amount asked for in years of income.

    Unit: years. Range: 0 and more; an income below 1 counts as 1. NaN if an
    input is missing.
    """
    return share_of_limit(loan_amount, annual_income)


@feature(direction=1, reason="LOAN_TO_INCOME")
def repayment_to_income(
    loan_amount: Values, term_months: Values, annual_income: Values
) -> Values:
    """Principal of a month as a share of a month's income, interest left aside.

    Unit: share of the income. Range: 0 and more. NaN if an input is missing.
    """
    return share_of_limit(
        share_of_limit(loan_amount, term_months) * 12.0, annual_income
    )


@feature(direction=1, reason="DEBT_BURDEN")
def payments_to_income(debt_to_income_percent: Values) -> Values:
    """Monthly payments on other debts as a share of income.

    Unit: share of the income. Range: 0 and more. NaN if it is missing.
    """
    return debt_to_income_percent / 100.0


@feature(direction=1, reason="DEBT_BURDEN")
def payments_to_income_with_loan(
    debt_to_income_percent: Values,
    loan_amount: Values,
    term_months: Values,
    annual_income: Values,
) -> Values:
    """Monthly payments on other debts and this loan's principal, over income.

    Unit: share of the income. Range: 0 and more. NaN if an input is missing.
    """
    repayment = share_of_limit(
        share_of_limit(loan_amount, term_months) * 12.0, annual_income
    )
    return debt_to_income_percent / 100.0 + repayment


@feature(direction=0, reason="EMPLOYMENT")
def years_employed(employment_years: Values) -> Values:
    """Years in the present employment, ten for ten and more.

    Unit: years. Range: 0 to 10. NaN if none is stated.
    """
    return employment_years + 0.0


@feature(direction=0, reason="HOUSING")
def home_rented(home_ownership: Values) -> Values:
    """Whether the home is rented. Range: 0 or 1."""
    return equal_to(home_ownership, RENT)


@feature(direction=0, reason="HOUSING")
def home_mortgaged(home_ownership: Values) -> Values:
    """Whether the home is owned with a mortgage. Range: 0 or 1."""
    return equal_to(home_ownership, MORTGAGE)


@feature(direction=0, reason="HOUSING")
def home_owned(home_ownership: Values) -> Values:
    """Whether the home is owned without a mortgage. Range: 0 or 1."""
    return equal_to(home_ownership, OWN)


@feature(direction=1, reason="PURPOSE")
def for_small_business(purpose: Values) -> Values:
    """Whether the loan is for a small business. Range: 0 or 1."""
    return equal_to(purpose, SMALL_BUSINESS)


@feature(direction=0, reason="PURPOSE")
def for_credit_card(purpose: Values) -> Values:
    """Whether the loan repays a credit card. Range: 0 or 1."""
    return equal_to(purpose, CREDIT_CARD)


@feature(direction=0, reason="PURPOSE")
def for_debt_consolidation(purpose: Values) -> Values:
    """Whether the loan puts other debts together. Range: 0 or 1."""
    return equal_to(purpose, DEBT_CONSOLIDATION)


@feature(direction=0, reason="PURPOSE")
def for_planned_spending(purpose: Values) -> Values:
    """Whether the loan is for a car, the home, a wedding or a large purchase.

    Range: 0 or 1.
    """
    home = equal_to(purpose, HOME_IMPROVEMENT)
    planned: Values = equal_to(purpose, CAR) + home + equal_to(purpose, MAJOR_PURCHASE)
    return planned + equal_to(purpose, WEDDING)


@feature(direction=0, reason="PURPOSE")
def for_need(purpose: Values) -> Values:
    """Whether the loan is for health, moving, education, or nothing named.

    Range: 0 or 1.
    """
    learning, other = equal_to(purpose, EDUCATIONAL), equal_to(purpose, OTHER)
    need: Values = learning + equal_to(purpose, MEDICAL) + equal_to(purpose, MOVING)
    return need + other


FEATURES = (
    amount_asked_for,
    term_asked_for,
    income_stated,
    loan_to_income,
    repayment_to_income,
    payments_to_income,
    payments_to_income_with_loan,
    years_employed,
    home_rented,
    home_mortgaged,
    home_owned,
    for_small_business,
    for_credit_card,
    for_debt_consolidation,
    for_planned_spending,
    for_need,
)
