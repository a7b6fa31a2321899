import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_scoring.features import arithmetic

months = st.lists(st.floats(-1e7, 1e7), min_size=6, max_size=6)


def column(*values):
    return np.array(values, dtype=np.float64)


def test_above_is_a_flag():
    assert arithmetic.above(column(-1, 0, 1, 7), 0.0).tolist() == [0, 0, 1, 1]


def test_at_least_is_a_flag_of_codes():
    assert arithmetic.at_least(column(-2, 0, 1, 2, 8), 2.0).tolist() == [0, 0, 0, 1, 1]


def test_equal_to_is_a_flag_of_codes():
    found = arithmetic.equal_to(column(-2, -1, 0, 1, 8), -1.0)
    assert found.tolist() == [0, 1, 0, 0, 0]


def test_ratio_without_a_base_is_what_is_given_for_it():
    found = arithmetic.ratio(column(1, 5, 5, 90), column(4, 0, -3, 10), 0.5, 3.0)
    assert found.tolist() == [0.25, 0.5, 0.5, 3.0]


@given(months)
def test_six_months_agree_with_the_statistics_module(values):
    columns = [column(value) for value in values]
    exact = pytest.approx
    assert arithmetic.largest(*columns)[0] == max(values)
    assert arithmetic.smallest(*columns)[0] == min(values)
    assert arithmetic.total(*columns)[0] == exact(math.fsum(values), abs=1e-6)
    assert arithmetic.mean(*columns)[0] == exact(statistics.fmean(values), abs=1e-6)
    spread = math.sqrt(max(float(np.var(values)), 0.0))
    assert arithmetic.deviation(*columns)[0] == exact(spread, abs=1e-3, rel=1e-9)


@pytest.mark.parametrize(
    ("function", "n_columns", "constants"),
    [
        (arithmetic.above, 2, ()),
        (arithmetic.at_least, 1, (1.0,)),
        (arithmetic.equal_to, 1, (1.0,)),
        (arithmetic.share_of_limit, 2, ()),
        (arithmetic.ratio, 2, (1.0, 2.0)),
        (arithmetic.largest, 6, ()),
        (arithmetic.smallest, 6, ()),
        (arithmetic.deviation, 6, ()),
    ],
)
def test_missing_values_stay_missing(function, n_columns, constants):
    for place in range(n_columns):
        columns = [column(3.0) for _ in range(n_columns)]
        columns[place] = column(math.nan)
        assert np.isnan(function(*columns, *constants)).all()
