import numpy as np
import pytest

from credit_scoring.scorecard.model import locate_bins
from credit_scoring.scorecard.points import points_table
from credit_scoring.scorecard.scaling import ScoreScaling, score_from_log_odds

SCALING = ScoreScaling(base_score=600, base_odds=20, pdo=40)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.93, -0.07)])
def test_points_of_an_applicants_bins_sum_to_the_score(scorecard, slope, intercept):
    random = np.random.default_rng(4)
    rows = random.normal(0.5, 1, size=(300, 3))
    rows[random.random(rows.shape) < 0.1] = np.nan
    lines = points_table(scorecard, scaling=SCALING, slope=slope, intercept=intercept)
    total = np.zeros(len(rows))
    for term in scorecard.table.terms:
        points = np.array([p.points for p in lines if p.feature == term.feature])
        column = np.ascontiguousarray(rows[:, scorecard.features.index(term.feature)])
        total += points[locate_bins(column, term.edges)]
    log_odds = intercept + slope * scorecard.margin(rows)
    np.testing.assert_allclose(
        total, score_from_log_odds(log_odds, SCALING), rtol=0, atol=1e-9
    )


def test_lines_name_each_bin_in_words_and_the_missing_values_last(scorecard):
    lines = points_table(scorecard, scaling=SCALING, slope=1, intercept=0)
    assert [(line.feature, line.values) for line in lines] == [
        ("utilisation", "below 0.3"),
        ("utilisation", "0.3 to below 0.7"),
        ("utilisation", "0.7 or more"),
        ("utilisation", "missing"),
        ("months_late", "below 1"),
        ("months_late", "1 or more"),
        ("months_late", "missing"),
    ]
    assert [line.rows for line in lines] == [65, 35, 25, 0, 92, 33, 5]


def test_a_safer_bin_gives_more_points(scorecard):
    lines = points_table(scorecard, scaling=SCALING, slope=1, intercept=0)
    by_woe = sorted(
        (p for p in lines if p.feature == "utilisation"), key=lambda p: p.woe
    )
    points = [line.points for line in by_woe]
    assert points == sorted(points)
    assert [line.rounded_points for line in by_woe] == [round(p) for p in points]


def test_a_bin_twice_as_good_in_odds_is_worth_the_pdo(scorecard):
    lines = points_table(scorecard, scaling=SCALING, slope=1, intercept=0)
    best, middle = lines[0], lines[1]
    # A coefficient of -0.8 on a difference of 0.75 in woe: 0.6 in log-odds.
    assert best.points - middle.points == pytest.approx(40 * 0.6 / np.log(2))
