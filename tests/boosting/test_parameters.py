from pathlib import Path

import pytest
from omegaconf import OmegaConf
from pydantic import ValidationError

from credit_scoring.boosting.parameters import (
    BoostingParameters,
    Hyperparameters,
    SearchRange,
)

CONF = Path(__file__).parents[2] / "conf"


def shipped(environment="base"):
    """The parameters as Kedro merges them: the environment's over those of base."""
    files = [CONF / name / "parameters_boosting.yml" for name in ("base", environment)]
    merged = OmegaConf.merge(*[OmegaConf.load(file) for file in files])
    return OmegaConf.to_container(merged)["boosting"]


@pytest.mark.parametrize("environment", ["base", "test"])
def test_the_shipped_parameters_are_valid(environment):
    parameters = BoostingParameters.model_validate(shipped(environment))
    assert parameters.family == "boosting"
    assert parameters.search_space.max_depth.high <= 5


def test_a_starting_point_outside_the_search_space_is_refused():
    document = shipped()
    document["starting_point"]["subsample"] = 0.1
    with pytest.raises(ValidationError, match=r"starting_point\.subsample is 0\.1; "):
        BoostingParameters.model_validate(document)


def test_an_unknown_parameter_is_refused():
    with pytest.raises(ValidationError, match="n_trails"):
        BoostingParameters.model_validate({**shipped(), "n_trails": 3})


def test_trees_too_deep_to_explain_are_refused():
    point = {**shipped()["starting_point"], "max_depth": 7}
    with pytest.raises(ValidationError, match="less than or equal to 6"):
        Hyperparameters.model_validate(point)


def test_a_range_must_rise():
    with pytest.raises(ValidationError, match=r"low 2\.0 is above high 1\.0"):
        SearchRange(low=2, high=1)


def test_a_logarithmic_range_starts_above_zero():
    with pytest.raises(ValidationError, match=r"starts above 0, not at 0\.0"):
        SearchRange(low=0, high=1, log=True)
