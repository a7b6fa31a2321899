from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from credit_scoring.challenge.comparing import compare
from credit_scoring.challenge.parameters import ChallengeParameters
from credit_scoring.challenge.selection import Pair, Selected, select_decisions
from credit_scoring.errors import ChallengeError
from credit_scoring.evaluation.profit import CostTable

from .conftest import MATTERS

COSTS = CostTable(gain_from_good=0.1, loss_from_bad=0.5, exposure="credit_limit")
Decided = Callable[..., pd.DataFrame]


def selected(
    table: pd.DataFrame, pair: Pair, parameters: ChallengeParameters
) -> Selected:
    return select_decisions(table, pair, parameters, exposure="credit_limit")


def test_a_challenger_that_knows_more_gains_in_every_measure(
    shadowed: Decided, pair: Pair, parameters: ChallengeParameters
) -> None:
    table = shadowed(20_000, champion_noise=1.5, challenger_noise=0.3)
    found = compare(selected(table, pair, parameters), parameters, COSTS)
    assert not found.faults
    for name in ("auc", "brier", "log_loss"):
        assert found.measures[name].low > 0
    measure = found.measures["log_loss"]
    both = (table["decision"] == "approve") & (
        table["challenger_decision"] == "approve"
    )
    assert measure.rows == both.sum()
    assert measure.power < 0.8
    assert measure.rows_needed is not None
    assert measure.rows_needed > measure.rows
    lax = MATTERS.model_copy(update={"log_loss": 0.02})
    parameters = parameters.model_copy(update={"smallest_difference": lax})
    measure = compare(selected(table, pair, parameters), parameters, COSTS).measures[
        "log_loss"
    ]
    assert measure.power > 0.8
    assert measure.days_needed == 0


def test_a_small_sample_says_how_much_longer_it_takes(
    shadowed: Decided, pair: Pair, parameters: ChallengeParameters
) -> None:
    table = shadowed(2000, champion_noise=0.8, challenger_noise=0.7)
    measure = compare(selected(table, pair, parameters), parameters, COSTS).measures[
        "auc"
    ]
    assert measure.low < 0 < measure.high
    assert measure.power < 0.1
    assert measure.rows_needed is not None
    assert measure.days_needed is not None
    days = 2000 * 10 / 60 / 24
    rate = measure.rows / days
    assert measure.days_needed == pytest.approx(
        (measure.rows_needed - measure.rows) / rate, rel=0.01
    )


def test_arms_are_compared_as_two_samples(
    split: Decided, pair: Pair, parameters: ChallengeParameters
) -> None:
    by_arm = parameters.model_copy(update={"design": "split", "challenger_share": 0.5})
    table = split(30_000, champion_noise=2.0, challenger_noise=0.2)
    found = compare(selected(table, pair, by_arm), by_arm, COSTS)
    profit = found.measures["profit"]
    # By hand: what each arm's approvals earned, of all that its arm applied for.
    arm = table["arm"] == "challenger"
    bad = table["bad"].to_numpy(float, na_value=np.nan)
    worth = np.nan_to_num(100.0 - 600.0 * bad)
    expected = [worth[side].sum() / (1000 * side.sum()) for side in (arm, ~arm)]
    assert profit.gain.model == pytest.approx(expected[0])
    assert profit.gain.other == pytest.approx(expected[1])
    assert profit.low > 0
    assert profit.rows == len(table)


def test_what_cannot_be_measured_says_why(
    shadowed: Decided, pair: Pair, parameters: ChallengeParameters
) -> None:
    table = shadowed(50, champion_noise=1.0, challenger_noise=1.0)
    table["status"] = "immature"
    for chosen in ("shadow", "split"):
        asked = parameters.model_copy(update={"design": chosen})
        found = compare(selected(table, pair, asked), asked, COSTS)
        assert set(found.faults) == {"auc", "brier", "log_loss", "profit"}
        assert not found.measures
    one = table.assign(status="good", bad=0)
    assert "auc" in compare(selected(one, pair, parameters), parameters, COSTS).faults


def test_the_same_model_twice_gains_nothing(
    shadowed: Decided, pair: Pair, parameters: ChallengeParameters
) -> None:
    table = shadowed(3000, champion_noise=1.0, challenger_noise=1.0)
    table["challenger_pd"] = table["pd"]
    table["challenger_decision"] = table["decision"]
    found = compare(selected(table, pair, parameters), parameters, COSTS).measures
    assert {one.gain.gain for one in found.values()} == {0.0}
    assert all(one.rows_needed is None for one in found.values())


def test_decisions_of_others_and_of_before_are_left_out(
    shadowed: Decided, pair: Pair, parameters: ChallengeParameters
) -> None:
    table = shadowed(100, champion_noise=1.0, challenger_noise=1.0)
    table.loc[:9, ["challenger_pd", "challenger_digest"]] = [np.nan, None]
    table.loc[10:14, "model_digest"] = "e" * 64
    table.loc[15:16, "challenger_digest"] = "e" * 64
    table.loc[20:22, ["challenger_pd", "challenger_digest"]] = [np.nan, None]
    table.loc[30, "pd"] = np.nan
    found = selected(table, pair, parameters)
    assert found.counts["before_the_challenge"] == 10
    assert found.counts["of_other_models"] == 7
    assert found.counts["without_a_score"] == 1
    assert found.counts["not_followed"] == 3
    assert found.followed_share == pytest.approx(1 - 3 / 82)
    statuses = ("good", "bad", "declined", "immature", "unknown")
    assert sum(found.counts[name] for name in statuses) == 82


def test_the_digest_is_that_of_the_data(
    shadowed: Decided, pair: Pair, parameters: ChallengeParameters
) -> None:
    table = shadowed(100, champion_noise=1.0, challenger_noise=1.0)
    first = selected(table, pair, parameters).digest
    assert selected(table[::-1], pair, parameters).digest == first
    table.loc[0, "status"] = "unknown"
    assert selected(table, pair, parameters).digest != first


def test_a_challenger_nobody_heard_of_and_an_exposure_that_is_not_there(
    shadowed: Decided, pair: Pair, parameters: ChallengeParameters
) -> None:
    table = shadowed(10, champion_noise=1.0, challenger_noise=1.0)
    none = table.assign(challenger_pd=np.nan, challenger_digest=None)
    assert selected(none, pair, parameters).followed_share is None
    with pytest.raises(ChallengeError, match="income is not in the matured outcomes"):
        select_decisions(table, pair, parameters, exposure="income")
    assert (
        select_decisions(table, pair, parameters, exposure=None)
        .table["exposure"]
        .tolist()
        == [1.0] * 10
    )
