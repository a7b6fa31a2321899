from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from credit_scoring.features.definition import load_feature_set
from credit_scoring.pipelines.feature_engineering.parameters import (
    FeatureEngineeringParameters,
    OutOfTime,
    SplitShares,
)

CONF = Path(__file__).parents[3] / "conf/base/parameters_feature_engineering.yml"


def test_the_shipped_parameters_are_valid():
    document = yaml.safe_load(CONF.read_text(encoding="utf-8"))["feature_engineering"]
    parameters = FeatureEngineeringParameters.model_validate(document)
    assert parameters.split.shares.test == 0.30
    assert load_feature_set(parameters.feature_set).name == parameters.feature_set


def test_shares_must_add_to_the_whole():
    with pytest.raises(ValidationError, match=r"add to 0\.9; expected 1"):
        SplitShares(train=0.4, validation=0.1, calibration=0.1, test=0.3)


def test_every_split_gets_a_share():
    with pytest.raises(ValidationError, match="greater than 0"):
        SplitShares(train=0.6, validation=0.1, calibration=0, test=0.3)


def test_boundaries_must_rise():
    with pytest.raises(ValidationError, match="dates must rise"):
        OutOfTime(
            validation_from="2011-01-01",
            calibration_from="2011-01-01",
            test_from="2011-07-01",
        )


@pytest.mark.parametrize(
    "said", [{}, {"validation_from": "2010-01-01", "validation_share": 0.2}]
)
def test_validation_is_a_time_or_a_share(said: dict[str, object]):
    with pytest.raises(ValidationError, match="validation_share, not both"):
        OutOfTime(calibration_from="2011-01-01", test_from="2011-07-01", **said)
