from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from credit_scoring.decision.reasons import ReasonGroups, strongest_groups
from credit_scoring.errors import PolicyError

SIX = ReasonGroups(
    features=("a", "b", "c", "d", "e", "f"),
    codes=("Z", "Y", "X", "W", "V", "Z"),
    texts={code: f"Text {code}." for code in "VWXYZ"},
)


def ranked(
    kernel: Any, contributions: np.ndarray, points_per_unit: float
) -> tuple[np.ndarray, np.ndarray]:
    # Kernels write every place, whatever stood there.
    strongest = np.full((len(contributions), 4, 2), 77, np.int64)
    points = np.full((len(contributions), 4), 77.0)
    group_of_feature, n_groups = SIX.group_of_feature, len(SIX.ordered)
    kernel(
        contributions, points_per_unit, group_of_feature, n_groups, strongest, points
    )
    return strongest, points


def reported(
    row: list[float], points_per_unit: float = 10.0
) -> list[tuple[str, float]]:
    (reasons,) = SIX.explain(np.array([row]), points_per_unit)
    return [(reason.code, reason.points or 0.0) for reason in reasons]


def test_reasons_are_points_lost_strongest_first() -> None:
    assert reported([0.1, 0.5, 0.3, 0, 0, 0]) == [("Y", -5.0), ("X", -3.0), ("Z", -1.0)]


def test_no_more_than_four_are_given() -> None:
    assert [code for code, _ in reported([1, 2, 3, 4, 5, 0])] == ["V", "W", "X", "Y"]


def test_features_of_one_group_are_summed() -> None:
    assert reported([0.5, 0, 0, 0, 0, 0.25]) == [("Z", -7.5)]


def test_a_group_that_gains_as_much_as_it_loses_is_no_reason() -> None:
    assert reported([0.5, 0.1, 0, 0, 0, -0.5]) == [("Y", -1.0)]


def test_equal_points_are_ordered_by_code() -> None:
    assert [code for code, _ in reported([1, 1, 1, 1, 1, 0])] == ["V", "W", "X", "Y"]


def test_what_differs_only_behind_the_reported_digit_is_equal() -> None:
    row = [0.0, 0.1 + 1e-9, 0.1, 0, 0, 0]
    assert reported(row) == [("X", -1.0), ("Y", -1.0)]


def test_what_raises_the_score_is_never_reported() -> None:
    assert reported([-1, -2, -3, 0, 0, 0]) == []


def test_what_rounds_to_nothing_is_left_out_unless_it_is_the_strongest() -> None:
    assert reported([0.001, 0.002, 0, 0, 0, 0]) == [("Y", -0.1)]


def test_the_group_names_its_feature_that_lowered_the_score_most() -> None:
    (reasons,) = SIX.explain(np.array([[0.2, 0, 0, 0, 0, 0.3]]), 10.0)
    assert reasons[0].feature == "f"
    (reasons,) = SIX.explain(np.array([[0.2, 0, 0, 0, 0, 0.2]]), 10.0)
    assert reasons[0].feature == "a"
    assert reasons[0].text == "Text Z."


@given(arrays(np.float64, (3, 6), elements=st.floats(-5, 5)))
def test_reasons_are_the_largest_group_losses(contributions: np.ndarray) -> None:
    kernels = (strongest_groups, strongest_groups.py_func)  # type: ignore[attr-defined]
    for kernel in kernels:
        strongest, points = ranked(kernel, contributions, 10.0)
        groups, features = strongest[:, :, 0], strongest[:, :, 1]
        for row in range(3):
            sums = [
                contributions[row, SIX.group_of_feature == group].sum() * 10
                for group in range(5)
            ]
            given_points = points[row][groups[row] >= 0]
            assert (given_points < 0).all()
            assert all(a <= b for a, b in pairwise(given_points))
            assert len(given_points) == min(4, sum(s > 0.05 for s in sums)) or (
                len(given_points) == 1 or any(abs(s - 0.05) < 1e-9 for s in sums)
            )
            for group, feature, lost in zip(
                groups[row], features[row], points[row], strict=True
            ):
                if group >= 0:
                    assert lost == pytest.approx(-sums[group], abs=0.1 + 1e-9)
                    assert SIX.group_of_feature[feature] == group


def test_compiled_and_interpreted_ranking_agree_to_the_bit() -> None:
    contributions = np.random.default_rng(5).normal(0, 1, (200, 6))
    interpreted = ranked(strongest_groups.py_func, contributions, 57.7)  # type: ignore[attr-defined]
    for a, b in zip(
        ranked(strongest_groups, contributions, 57.7), interpreted, strict=True
    ):
        assert a.tobytes() == b.tobytes()


def test_features_without_a_sentence_are_named() -> None:
    with pytest.raises(PolicyError, match="1 features without a reason text, first b"):
        ReasonGroups(features=("a", "b"), codes=("X", "Y"), texts={"X": "t", "Y": ""})


def test_every_feature_needs_a_code() -> None:
    with pytest.raises(PolicyError, match="2 features have 1 reason codes"):
        ReasonGroups(features=("a", "b"), codes=("X",), texts={"X": "t"})
