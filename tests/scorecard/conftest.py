import numpy as np
import pytest

from credit_scoring.scorecard.model import Bin, Scorecard, ScorecardTable, Term


@pytest.fixture
def utilisation() -> Term:
    return Term(
        feature="utilisation",
        direction=1,
        information_value=0.5,
        coefficient=-0.8,
        bins=(
            Bin(below=0.3, goods=60, bads=5, woe=1.0),
            Bin(at_least=0.3, below=0.7, goods=25, bads=10, woe=0.25),
            Bin(at_least=0.7, goods=10, bads=15, woe=-1.5),
        ),
        missing=Bin(goods=0, bads=0, woe=0.0),
    )


@pytest.fixture
def months_late() -> Term:
    return Term(
        feature="months_late",
        direction=1,
        information_value=0.25,
        coefficient=-0.5,
        bins=(
            Bin(below=1.0, goods=80, bads=12, woe=0.5),
            Bin(at_least=1.0, goods=15, bads=18, woe=-2.0),
        ),
        missing=Bin(goods=4, bads=1, woe=-0.25),
    )


@pytest.fixture
def table(utilisation: Term, months_late: Term) -> ScorecardTable:
    return ScorecardTable(
        features=("months_late", "age_of_account", "utilisation"),
        intercept=-1.25,
        terms=(utilisation, months_late),
        left_out={"age_of_account": "constant: every value is the same"},
    )


@pytest.fixture
def scorecard(table: ScorecardTable) -> Scorecard:
    return Scorecard(table)


@pytest.fixture
def applications() -> np.ndarray:
    """Months late, age of account, utilisation."""
    nan = np.nan
    return np.array([[0, 5, 0.1], [2, 5, 0.3], [nan, nan, 0.69], [1, 1, nan]])
