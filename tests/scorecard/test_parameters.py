import pytest
from pydantic import ValidationError

from credit_scoring.scorecard.parameters import ScorecardParameters


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"trials": 3}, "trials"),
        ({"n_trials": 0}, "n_trials"),
        ({"c": {"low": 2, "high": 1}}, "low 2.0 is above high 1.0"),
        ({"c": {"low": 0, "high": 1}}, "c starts above 0"),
        ({"max_correlation": {"low": 0.5, "high": 1.5}}, "lies in"),
        ({"max_correlation": {"low": -0.5, "high": 1}}, "lies in"),
        ({"binning": {"max_prebins": 100}}, "max_prebins"),
        ({"family": "boosting"}, "family"),
    ],
)
def test_impossible_parameters_are_refused(wrong, message):
    with pytest.raises(ValidationError, match=message):
        ScorecardParameters(**wrong)
