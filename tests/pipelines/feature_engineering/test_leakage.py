import numpy as np
import pandas as pd
import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.errors import FeatureError, TrainingError
from credit_scoring.features.definition import FeatureSet, feature
from credit_scoring.pipelines.feature_engineering import nodes
from credit_scoring.pipelines.feature_engineering.leakage import (
    join_plausible_features,
    measure_single_features,
)
from credit_scoring.pipelines.feature_engineering.nodes import (
    compute_features,
    join_model_input,
)


@pytest.fixture
def splits() -> pd.DataFrame:
    ids = [str(n) for n in range(400)]
    split = np.repeat(["train", "test"], 200)
    return pd.DataFrame({"loan_id": ids, "split": split, "bad": [0, 1] * 200})


@pytest.fixture
def features(splits: pd.DataFrame) -> pd.DataFrame:
    random = np.random.default_rng(3)
    bad = splits["bad"].to_numpy(float)
    return pd.DataFrame(
        {
            "loan_id": splits["loan_id"],
            "income": random.normal(size=400) - 0.5 * bad,
            "recovered": np.where(bad == 1, random.random(400), np.nan),
        }
    )


def test_each_feature_is_measured_on_train_alone(features, splits, parameters):
    features.loc[splits["split"] == "test", "income"] = splits["bad"] * 100.0
    table = measure_single_features(features, splits, parameters)
    assert table["feature"].tolist() == ["recovered", "income"]
    assert table["auc"][0] == 1.0
    assert table["share_missing"][0] == 0.5
    assert 0.55 < table["auc"][1] < 0.75


def test_a_feature_that_is_too_good_stops_the_run(features, splits, parameters):
    table = measure_single_features(features, splits, parameters)
    message = (
        r"1 features tell .* recovered \(AUC 1\.000, 1\.000 to 1\.000\)\. .*"
        r"feature_engineering\.leakage\.maximum_auc, which is 0\.8"
    )
    with pytest.raises(TrainingError, match=message):
        join_plausible_features(features, splits, table, parameters)


def test_what_is_not_surely_too_good_goes_on(features, splits, parameters):
    # The figure is above the limit, its interval is not as a whole.
    power = pd.DataFrame([{"feature": "f", "auc": 0.82, "low": 0.79, "high": 0.85}])
    joined = join_plausible_features(features, splits, power, parameters)
    pd.testing.assert_frame_equal(joined, join_model_input(features, splits))


def test_a_feature_that_reads_what_is_known_too_late_is_named(
    applications, contract, parameters, monkeypatch
):
    @feature(direction=0, reason="R")
    def paid(total_paid):
        """Paid in all."""
        return total_paid

    late = FeatureSet(name="late", features=[paid], reasons={"R": "R."}, source="")
    monkeypatch.setattr(nodes, "feature_set_of", lambda name, contract: late)
    document = contract.model_dump(mode="json")
    document["known_after_decision"] = ["Total_Paid"]
    with pytest.raises(FeatureError, match="read total_paid, known only after"):
        compute_features(applications, Contract.model_validate(document), parameters)
