from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit as scipy_expit

from credit_scoring.decision import logistic
from credit_scoring.decision.logistic import expit, pd_and_score
from credit_scoring.scorecard.scaling import ScoreScaling, score_from_log_odds

Values = NDArray[np.float64]


def exact(z: float) -> Decimal:
    with localcontext() as context:
        context.prec = 60
        return 1 / (1 + (-Decimal(z)).exp())


def error_in_ulp(z: float) -> float:
    value = float(expit(np.array([z]))[0])
    with localcontext() as context:
        context.prec = 60
        return float(abs(Decimal(value) - exact(z)) / Decimal(float(np.spacing(value))))


def graded(kernel: Any, margin: Values, line: Sequence[float]) -> tuple[Values, Values]:
    pd_, score = np.empty(len(margin)), np.empty(len(margin))
    kernel(margin, np.array(line), pd_, score)
    return pd_, score


def python_form(kernel: object) -> object:
    return getattr(kernel, "py_func", kernel)


@pytest.fixture
def in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, kernel in vars(logistic).copy().items():
        if name.startswith("_") and hasattr(kernel, "py_func"):
            monkeypatch.setattr(logistic, name, kernel.py_func)


def test_even_odds_are_one_half() -> None:
    assert expit(np.array([0.0]))[0] == 0.5


def test_odds_of_one_to_three_are_one_quarter() -> None:
    assert expit(np.array([-np.log(3.0)]))[0] == pytest.approx(0.25, abs=1e-16)


@given(st.floats(-700, 36))
def test_result_is_the_nearest_float_to_a_reference_of_sixty_digits(z: float) -> None:
    assert error_in_ulp(z) <= 0.5 + 1e-6


def test_result_agrees_with_scipy_within_two_units_in_the_last_place() -> None:
    z = np.random.default_rng(1).normal(0, 4, 50_000)
    reference = scipy_expit(z)
    assert (np.abs(expit(z) - reference) <= 2 * np.spacing(reference)).all()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_finite_value_stays_strictly_inside_zero_and_one(z: float) -> None:
    assert 0.0 < expit(np.array([z]))[0] < 1.0


@given(st.floats(-40, 40))
def test_next_higher_log_odds_never_lower_the_pd(z: float) -> None:
    below, above = expit(np.array([z, np.nextafter(z, np.inf)]))
    assert below <= above


@given(st.lists(st.floats(-800, 800), min_size=2, max_size=20))
def test_order_of_log_odds_is_the_order_of_pds(values: list[float]) -> None:
    assert (np.diff(expit(np.sort(np.array(values)))) >= 0).all()


@given(st.floats(-30, 30))
def test_good_and_bad_are_symmetric(z: float) -> None:
    here, there = expit(np.array([z, -z]))
    assert abs(here + there - 1.0) <= 2.0**-53


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=30))
def test_a_row_has_the_same_bits_alone_and_in_company(values: list[float]) -> None:
    together = expit(np.array(values))
    alone = [expit(np.array([value]))[0] for value in values]
    assert together.tobytes() == np.array(alone).tobytes()


def test_missing_log_odds_stay_missing() -> None:
    assert np.isnan(expit(np.array([np.nan]))[0])


@pytest.mark.usefixtures("in_python")
def test_compiled_and_interpreted_forms_agree_to_the_bit() -> None:
    z = np.concatenate(
        [np.random.default_rng(2).normal(0, 6, 300), [0.0, np.nan, 1e300, -1e300, 37]]
    )
    interpreted = logistic.expit.py_func(z)  # type: ignore[attr-defined]
    assert interpreted.tobytes() == expit(z).tobytes()
    line = (1.0, 0.0, 500.0, 50.0)
    pd_, score = graded(python_form(pd_and_score), z, line)
    compiled_pd, compiled_score = graded(pd_and_score, z, line)
    assert pd_.tobytes() == compiled_pd.tobytes()
    assert score.tobytes() == compiled_score.tobytes()


def test_pd_and_score_do_what_calibration_expit_and_scaling_do() -> None:
    margin = np.random.default_rng(3).normal(0, 3, 1000)
    scaling = ScoreScaling(base_score=600, base_odds=20, pdo=40)
    line = (1.1, -0.2, scaling.offset, scaling.factor)
    pd_, score = graded(pd_and_score, margin, line)
    log_odds = -0.2 + 1.1 * margin
    assert pd_.tobytes() == expit(log_odds).tobytes()
    unrounded = score_from_log_odds(log_odds, scaling)
    assert score.tobytes() == (np.rint(unrounded * 10) / 10).tobytes()


def test_reported_score_has_one_decimal() -> None:
    margin = np.random.default_rng(4).normal(0, 3, 200)
    _, score = graded(pd_and_score, margin, (1.0, 0.0, 500.0, 57.7))
    assert all(float(f"{value:.1f}") == value for value in score)
