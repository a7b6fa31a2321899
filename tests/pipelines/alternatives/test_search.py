"""Which alternatives are tried, how they are fitted, and what comes of them."""

from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
import pytest

from credit_scoring.boosting.parameters import (
    BoostingParameters,
    Hyperparameters,
    SearchRange,
    SearchSpace,
)
from credit_scoring.contract.model import Contract
from credit_scoring.errors import EvaluationError
from credit_scoring.features.definition import FeatureSet, feature
from credit_scoring.pipelines.alternatives import create_pipeline, nodes
from credit_scoring.pipelines.alternatives.candidates import list_alternatives
from credit_scoring.pipelines.alternatives.parameters import AlternativesParameters
from credit_scoring.pipelines.alternatives.search import Applicants, Fitting, fit_all
from credit_scoring.pipelines.training.parameters import CandidateParameters
from credit_scoring.scorecard.scaling import ScoreScaling


def named(name: str, direction: Any, reason: str) -> Any:
    def function(value):
        """A value."""
        return value

    function.__name__ = name
    return feature(direction=direction, reason=reason)(function)


FEATURES = FeatureSet(
    name="five",
    features=[
        named("late", 1, "LATE"),
        named("later", 1, "LATE"),
        named("debt", 1, "DEBT"),
        named("wealth", -1, "WEALTH"),
        named("noise", 0, "NOISE"),
    ],
    reasons=dict.fromkeys(("LATE", "DEBT", "WEALTH", "NOISE"), "A reason."),
    source="",
)
PROXIES = {"sex": np.array([0.0, 0.1, 0.2, 0.9, 0.0])}


def parameters(**changes: Any) -> AlternativesParameters:
    values = {
        "most_models": 9,
        "drops": (1, 3),
        "depths": (1,),
        "cut_off_shifts": (-20, 0, 20),
        "bootstrap": {"replicates": 40, "seed": 1},
    }
    return AlternativesParameters.model_validate({**values, **changes})


def test_the_first_alternative_changes_nothing_and_none_comes_twice():
    found = list_alternatives(FEATURES, PROXIES, parameters(most_models=40))
    assert found[0].dropped == frozenset()
    assert not found[0].changes
    keys = [one.key for one in found]
    assert len(set(keys)) == len(keys)
    assert all(len(FEATURES.names) - len(one.dropped) >= 3 for one in found)


def test_the_strongest_proxy_goes_first():
    found = list_alternatives(FEATURES, PROXIES, parameters())
    (one,) = [a for a in found if a.name.startswith("without the 1 strongest")]
    assert one.dropped == {"wealth"}


def test_constraints_and_reason_groups_are_tried():
    kinds = {a.name: a for a in list_alternatives(FEATURES, PROXIES, parameters())}
    assert kinds["trees of depth 1"].changes == {"max_depth": 1}
    assert kinds["features with a direction alone"].dropped == {"noise"}
    assert kinds["without LATE"].dropped == {"late", "later"}


def test_the_same_seed_lists_the_same_and_the_budget_holds():
    one = list_alternatives(FEATURES, PROXIES, parameters(seed=7))
    assert one == list_alternatives(FEATURES, PROXIES, parameters(seed=7))
    assert len(list_alternatives(FEATURES, PROXIES, parameters(most_models=4))) == 4


SPLITS = ["train", "validation", "calibration", "test"]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Wealth goes with sex; risk goes with lateness, debt and a little wealth."""
    random = np.random.default_rng(11)
    n = 6000
    sex = random.integers(1, 3, n)
    late, debt, noise = random.normal(size=(3, n))
    wealth = random.normal(size=n) + 1.5 * (sex == 1)
    log_odds = -1.2 + late + 0.6 * debt - 0.35 * wealth
    return pd.DataFrame(
        {
            "loan_id": [f"L{k}" for k in range(n)],
            "split": random.choice(
                ["train", "validation", "calibration", "test"],
                n,
                p=[0.4, 0.1, 0.2, 0.3],
            ),
            "bad": (random.random(n) < 1 / (1 + np.exp(-log_odds))).astype("int8"),
            "late": late,
            "later": late + 0.1 * random.normal(size=n),
            "debt": debt,
            "wealth": wealth,
            "noise": noise,
            "sex": sex,
            "log_odds": log_odds,
        }
    )


POINT = Hyperparameters(
    max_depth=2,
    learning_rate=0.2,
    min_child_weight=5,
    subsample=1,
    colsample_bytree=1,
    reg_lambda=1,
    gamma=0,
)
LIMITS = BoostingParameters(
    seed=1,
    n_trials=1,
    max_rounds=25,
    early_stopping_rounds=10,
    max_bin=32,
    nthread=1,
    starting_point=POINT,
    search_space=SearchSpace(
        **{n: SearchRange(low=v, high=v) for n, v in POINT.model_dump().items()}
    ),
)
SCALING = ScoreScaling(base_score=600, base_odds=20, pdo=40)


def applicants(rows: pd.DataFrame) -> Applicants:
    return Applicants(
        np.ascontiguousarray(rows[list(FEATURES.names)].to_numpy(np.float64)),
        rows["bad"].to_numpy(np.float64),
        rows["split"].to_numpy(str),
    )


def test_a_fit_is_offered_nothing_protected(rows):
    assert {f.name for f in fields(Applicants)} == {"x", "bad", "split"}
    assert applicants(rows).x.shape[1] == len(FEATURES.names)


def test_the_same_seed_fits_the_same_and_the_time_holds(rows):
    asked = list_alternatives(FEATURES, PROXIES, parameters(most_models=3))
    fitting = Fitting(FEATURES, POINT, LIMITS, SCALING, seed=1)
    one, two = (
        fit_all(asked, applicants(rows), fitting, time_limit_s=60) for _ in range(2)
    )
    assert [a.margin.tobytes() for a in one] == [b.margin.tobytes() for b in two]
    times = iter([0.0, 0.0, 61.0])
    cut = fit_all(
        asked,
        applicants(rows),
        fitting,
        time_limit_s=60,
        clock=lambda: next(times),
    )
    assert [a.alternative.name for a in cut] == [asked[0].name]


def test_what_cannot_be_fitted_is_left_out(rows, capsys):
    (first, *_) = list_alternatives(FEATURES, PROXIES, parameters())
    useless = Applicants(
        applicants(rows).x * 0,
        rows["bad"].to_numpy(np.float64),
        rows["split"].to_numpy(str),
    )
    fitting = Fitting(FEATURES, POINT, LIMITS, SCALING, seed=1)
    assert fit_all([first], useless, fitting, time_limit_s=60) == []
    assert "left out: all features, fitted again" in capsys.readouterr().err


CONTRACT = Contract.model_validate(
    {
        "name": "five",
        "version": 1,
        "title": "five",
        "columns": {
            "loan_id": {
                "source": "ID",
                "type": "string",
                "role": "id",
                "description": "An id.",
            },
            **{
                name: {
                    "source": name,
                    "type": "number",
                    "role": "application",
                    "description": "A number.",
                }
                for name in FEATURES.names
            },
            "sex": {
                "source": "SEX",
                "type": "integer",
                "role": "protected",
                "description": "Sex.",
            },
            "bad": {
                "source": "BAD",
                "type": "integer",
                "role": "target",
                "description": "Default.",
            },
        },
    }
)
POLICY = {
    "approve_from": 520,
    "decline_below": 480,
    "bands": [{"code": "A", "from": 520}, {"code": "B", "from": 480}, {"code": "C"}],
    "rules": [
        {
            "code": "R_LATE",
            "outcome": "decline",
            "text": "Very late.",
            "when": {"feature": "late", "at_least": 2},
        }
    ],
    "history_unavailable_text": "No history.",
}


@pytest.fixture(scope="module")
def searched(rows, promotion) -> dict[str, Any]:
    from credit_scoring.decision.parameters import DecisionParameters

    predictions = rows[["loan_id"]].assign(
        margin=rows["log_odds"],
        score=520 - 20 / np.log(2) * (rows["log_odds"] + 1),
    )
    patch = pytest.MonkeyPatch()
    patch.setattr(nodes, "feature_set_of", lambda *_: FEATURES)
    found = nodes.search_alternatives(
        rows[["loan_id", "split", "bad", *FEATURES.names]],
        rows[["loan_id", *FEATURES.names, "sex", "bad"]].sample(frac=1, random_state=1),
        predictions.iloc[:0],
        predictions.sample(frac=1, random_state=2),
        {**POINT.model_dump(), "n_trees": 9.0},
        UNCERTAINTY,
        {"champion": {"family": "boosting", "version": 3}},
        CONTRACT,
        "five",
        CandidateParameters(LIMITS),
        DecisionParameters.model_validate(
            {
                "scaling": SCALING.model_dump(),
                "policy": POLICY,
                "background": {"within_points": 5, "minimum_rows": 5},
            }
        ),
        promotion,
        parameters(),
    )
    patch.undo()
    return dict(found)


UNCERTAINTY = {
    "pd_intervals": {
        "level": 0.9,
        "window_rows": 50,
        "margins": [0.0],
        "low": [0.0, 0.1],
        "high": [0.9, 1.0],
    },
    "ranges": {},
}


@pytest.fixture(scope="module")
def promotion() -> Any:
    from types import SimpleNamespace

    from credit_scoring.evaluation.fairness import Group
    from credit_scoring.evaluation.profit import CostTable
    from credit_scoring.registry.gate_parameters import Attribute, ChampionTest

    sexes = {"male": Group(values=(1,)), "female": Group(values=(2,))}
    tiny = {"few": Group(values=(9,)), "all": Group(values=(1, 2))}
    fairness = SimpleNamespace(
        asked={
            "sex": Attribute(column="sex", groups=sexes),
            "tiny": Attribute(column="sex", groups=tiny),
            "absent": Attribute(column="colour", groups=sexes),
        },
        small_rows=100,
        impact_ratio=0.8,
    )
    profit = SimpleNamespace(costs=CostTable(gain_from_good=0.1, loss_from_bad=0.5))
    gates = SimpleNamespace(
        fairness=fairness, profit=profit, against_champion=ChampionTest(margin=0.02)
    )
    return SimpleNamespace(gates=gates)


def test_the_champion_is_measured_as_it_decides(rows, searched):
    table = searched["table"]
    today = table[(table["kind"] == "champion") & (table["cut_off_rule"] == "policy")]
    test = rows[rows["split"] == "test"]
    score = np.rint(10 * (520 - 20 / np.log(2) * (test["log_odds"] + 1))) / 10
    approved = (score >= 520) & (test["late"] < 2)
    rates = approved.groupby(test["sex"]).mean()
    (line,) = today.to_dict("records")
    assert line["approval_rate_test"] == pytest.approx(approved.mean())
    assert line["impact_ratio_sex_test"] == pytest.approx(rates.min() / rates.max())
    good, bad = (approved & (test["bad"] == b) for b in (0, 1))
    profit = (0.1 * good.sum() - 0.5 * bad.sum()) / len(test)
    assert line["profit_test"] == pytest.approx(profit)


def test_alternatives_approve_as_many_as_today_on_the_selection_rows(searched):
    table = searched["table"]
    same = table[table["cut_off_rule"] == "same_approvals"]
    rates = same["approval_rate_selection"]
    # Trees give many applicants the same score, who come in together.
    assert rates.iloc[0] <= rates.min()
    assert rates.max() - rates.min() < 0.03


def test_without_wealth_women_and_men_are_approved_alike(searched):
    table = searched["table"]

    def line(name, rule):
        found = table[(table["name"] == name) & (table["cut_off_rule"] == rule)]
        return found.iloc[0]

    before = line("as promoted", "policy")
    after = line("without the 1 strongest proxies of sex", "same_approvals")
    assert after["impact_ratio_sex_test"] > before["impact_ratio_sex_test"] + 0.1
    assert after["auc_test"] < before["auc_test"]


def test_the_summary_has_the_chosen_point_the_frontiers_and_the_proxies(searched):
    summary = searched["summary"]
    assert summary["champion"]["version"] == 3
    assert summary["not_compared"] == ["absent", "tiny"]
    sex = summary["attributes"]["sex"]
    assert sex["strongest_proxies"][0]["feature"] == "wealth"
    assert [point["kind"] for point in sex["chosen"]] == ["champion"]
    ratios = [point["impact_ratio_test"] for point in sex["frontier_auc"]]
    assert ratios == sorted(ratios)
    for tested in sex["tested"]:
        shown = tested["auc_not_inferior"] and tested["impact_ratio_gain"]["low"] > 0
        assert tested["less_discriminatory"] is shown


def test_the_frontiers_are_drawn(searched):
    figure = nodes.draw_frontiers(searched["table"], searched["summary"])
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title() for axes in panels] == ["sex", ""]


def test_applications_without_a_prediction_are_counted(rows):
    from credit_scoring.pipelines.alternatives.pool import promoted_model

    few = pd.DataFrame({"loan_id": ["L1"], "margin": [0.0], "score": [500.0]})
    with pytest.raises(EvaluationError, match="5999 of 6000 applications have no"):
        promoted_model(few, rows, CONTRACT)


def test_the_pipeline_makes_table_summary_and_plot():
    assert create_pipeline().all_outputs() == {
        "alternatives_table",
        "alternatives_summary",
        "plots_alternatives",
    }
