"""What a column's name or power makes one suspect."""

import re


def _listed(words: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", words))


# Words of a column's name, not parts of words: `mortgage` is no age.
_PROTECTED = _listed(
    """sex gender age birth birthday birthdate dob race racial ethnic ethnicity colour
    color national nationality citizen citizenship origin religion religious marital
    marriage married spouse children dependents dependants pregnant disability
    disabled health language political union orientation zip zipcode postcode postal
    plz"""
)
_OUTCOME = _listed(
    """recovery recoveries recovered collection collections collected chargeoff charged
    writeoff written outcome settlement settled paid payoff pymnt prncp repaid closed
    closing dpd default defaulted delinquent outstanding remaining received"""
)
_LENDER = _listed(
    """grade subgrade rating score decision approved rate interest apr installment
    instalment funded pricing price band"""
)
_IDENTITY = _listed(
    """id key uuid guid number no nr name firstname lastname surname email phone mobile
    address street iban ssn account"""
)


def words_of(name: str) -> list[str]:
    """Take the words of a column's name: ``lastPymnt_d`` is last, pymnt, d."""
    apart = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return [word.lower() for word in re.findall(r"[A-Za-z]+", apart)]


def looks_protected(name: str) -> bool:
    """Whether a name is like that of a protected attribute or of a proxy."""
    return bool(_PROTECTED & set(words_of(name)))


def looks_like_the_outcome(name: str) -> bool:
    """Whether a name is like that of what is known only after the decision."""
    words = words_of(name)
    # `last_payment` is of the loan; `inquiries_last_year` is of the applicant.
    first = words[:1] in (["last"], ["next"]) or words[:2] == ["total", "rec"]
    return first or bool(_OUTCOME & set(words))


def looks_like_the_lenders_decision(name: str) -> bool:
    """Whether a name is like that of a grade or price that a lender sets."""
    return bool(_LENDER & set(words_of(name)))


def looks_identifying(name: str) -> bool:
    """Whether a name is like that of what tells persons or accounts apart."""
    return bool(_IDENTITY & set(words_of(name)))
