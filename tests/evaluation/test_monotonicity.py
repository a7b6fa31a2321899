import numpy as np
import pytest

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.monotonicity import Monotonicity, check_directions

NAN = float("nan")


def test_a_step_in_the_wrong_direction_is_counted_by_hand():
    """The margin rises with the first feature but for the step from 2 to 3."""
    x = np.array([[1.0, 0], [2, 0], [3, 9], [4, 0]])
    heights = np.array([0, 1.0, 2, 1.75, 3])
    found = check_directions(
        lambda rows: heights[rows[:, 0].astype(int)] + rows[:, 1],
        x,
        features=("a", "b"),
        directions=(1, 0),
    )
    assert found == [Monotonicity("a", 1, moves=12, wrong=4, worst=0.25)]


def test_a_margin_that_keeps_its_directions_is_never_wrong():
    x = np.random.default_rng(1).normal(0, 1, (500, 3))
    found = check_directions(
        lambda rows: rows[:, 0] ** 3 - np.floor(rows[:, 1]) + np.sin(9 * rows[:, 2]),
        x,
        features=("a", "b", "c"),
        directions=(1, -1, 0),
        rows=50,
        values=20,
    )
    assert [(one.feature, one.moves, one.wrong) for one in found] == [
        ("a", 950, 0),
        ("b", 950, 0),
    ]
    turned = check_directions(
        lambda rows: rows[:, 1], x, features=("a", "b", "c"), directions=(1, -1, 1)
    )
    assert [one.wrong for one in turned] == [0, 200 * 31, 0]
    assert turned[1].worst > 0


def test_interactions_are_seen_because_each_row_is_moved_by_itself():
    """For one row in a hundred the feature works backwards."""
    x = np.column_stack([np.linspace(0, 1, 100), np.arange(100) == 50]).astype(float)
    (found,) = check_directions(
        lambda rows: rows[:, 0] * (1 - 2 * rows[:, 1]),
        x,
        features=("a", "b"),
        directions=(1, 0),
        values=5,
    )
    assert (found.moves, found.wrong) == (400, 4)


def test_missing_and_constant_values_are_not_moved():
    x = np.array([[NAN, 5, NAN], [1, 5, NAN], [2, 5, NAN]])

    def margin(rows):
        assert not np.isnan(rows[:, 0]).any()
        return rows[:, 0]

    found = check_directions(margin, x, features=("a", "b", "c"), directions=(1, 1, -1))
    assert [one.moves for one in found] == [2, 0, 0]


def test_rows_and_directions_must_fit():
    with pytest.raises(EvaluationError, match=r"shape \(2, 2\) for 2 features and 1"):
        check_directions(np.sum, np.zeros((2, 2)), features=("a", "b"), directions=(1,))
    with pytest.raises(EvaluationError, match=r"shape \(0, 1\)"):
        check_directions(np.sum, np.zeros((0, 1)), features=("a",), directions=(1,))
