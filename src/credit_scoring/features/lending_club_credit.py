"""The applicant's credit file: arrears, enquiries, public records, credit lines.

Amounts are in US$. A feature is NaN where one of its inputs is missing.
"""

import numpy as np

from credit_scoring.features.arithmetic import ratio, share_of_limit
from credit_scoring.features.definition import Values, feature


@feature(direction=1, reason="DELINQUENCY")
def arrears_in_2_years(delinquencies_2y: Values) -> Values:
    """Times 30 days or more in arrears in two years.

    Unit: times. Range: 0 and more. NaN if it is missing.
    """
    return delinquencies_2y + 0.0


@feature(direction=-1, reason="DELINQUENCY")
def months_since_arrears(months_since_delinquency: Values) -> Values:
    """Months since the last arrears.

    Unit: months. Range: 0 and more. NaN if there were none.
    """
    return months_since_delinquency + 0.0


@feature(direction=1, reason="INQUIRIES")
def enquiries_in_6_months(inquiries_6m: Values) -> Values:
    """Enquiries of other lenders in six months.

    Unit: enquiries. Range: 0 and more. NaN if it is missing.
    """
    return inquiries_6m + 0.0


@feature(direction=1, reason="PUBLIC_RECORDS")
def records_in_public(public_records: Values) -> Values:
    """Derogatory public records.

    Unit: records. Range: 0 and more. NaN if it is missing.
    """
    return public_records + 0.0


@feature(direction=-1, reason="PUBLIC_RECORDS")
def months_since_record(months_since_public_record: Values) -> Values:
    """Months since the last derogatory public record.

    Unit: months. Range: 0 and more. NaN if there is none.
    """
    return months_since_public_record + 0.0


@feature(direction=0, reason="CREDIT_FILE")
def accounts_open(open_accounts: Values) -> Values:
    """Open credit lines.

    Unit: lines. Range: 0 and more. NaN if it is missing.
    """
    return open_accounts + 0.0


@feature(direction=-1, reason="CREDIT_FILE")
def accounts_ever(total_accounts: Values) -> Values:
    """Credit lines that the file has ever had.

    Unit: lines. Range: 0 and more. NaN if it is missing.
    """
    return total_accounts + 0.0


@feature(direction=0, reason="CREDIT_FILE")
def share_of_accounts_open(open_accounts: Values, total_accounts: Values) -> Values:
    """Open credit lines as a share of all that there ever were.

    Range: 0 to 1 in sound files. NaN if an input is missing.
    """
    return share_of_limit(open_accounts, total_accounts)


@feature(direction=1, reason="UTILISATION")
def share_of_limits_used(revolving_utilisation: Values) -> Values:
    """Revolving credit in use as a share of its limits.

    Unit: share of the limits. Range: 0 and more. NaN if it is missing.
    """
    return revolving_utilisation + 0.0


@feature(direction=1, reason="REVOLVING_DEBT")
def revolving_debt_to_income(
    revolving_balance: Values, annual_income: Values
) -> Values:
    """Revolving debt in years of income.

    Unit: years. Range: 0 and more. NaN if an input is missing.
    """
    return share_of_limit(revolving_balance, annual_income)


@feature(direction=-1, reason="CREDIT_LIMITS")
def revolving_limits(
    revolving_balance: Values, revolving_utilisation: Values
) -> Values:
    """Limits of the revolving credit, from the balance and the share in use.

    Unit: US$. Range: 0 and more; a share below 1 % counts as 1 %. NaN if an input
    is missing.
    """
    return revolving_balance / np.maximum(revolving_utilisation, 0.01)


@feature(direction=1, reason="CREDIT_LIMITS")
def loan_to_revolving_limits(
    loan_amount: Values, revolving_balance: Values, revolving_utilisation: Values
) -> Values:
    """Amount asked for over the limits of the revolving credit.

    Range: 0 to 100, where there are none. NaN if an input is missing.
    """
    limits = revolving_balance / np.maximum(revolving_utilisation, 0.01)
    return ratio(loan_amount, limits, 100.0, 100.0)


FEATURES = (
    arrears_in_2_years,
    months_since_arrears,
    enquiries_in_6_months,
    records_in_public,
    months_since_record,
    accounts_open,
    accounts_ever,
    share_of_accounts_open,
    share_of_limits_used,
    revolving_debt_to_income,
    revolving_limits,
    loan_to_revolving_limits,
)
