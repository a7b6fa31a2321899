"""Reasons are true of the model: both families, on the shipped applications.

What is proven of a reason and its points: let an applicant become one of the
background applicants feature by feature, in an order drawn at random. The points of
a reason are what the features of its group take from the score on this way, on
average over all orders and all background applicants (Shapley values, Lundberg & Lee
2017; interventional ones, Janzing, Minorics & Bloebaum 2020). Where features do not
interact, as in a scorecard, that is what changing the group alone does.
"""

from dataclasses import dataclass
from itertools import combinations
from math import factorial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from numpy.typing import NDArray

from credit_scoring.boosting.ensemble import TreeEnsemble
from credit_scoring.boosting.fitting import fit_boosting
from credit_scoring.boosting.parameters import BoostingParameters
from credit_scoring.contract.loading import contract_from_yaml
from credit_scoring.decision.calibration import Calibration
from credit_scoring.decision.decisions import Decisions, Reason
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.grading import Grading
from credit_scoring.decision.model import Model
from credit_scoring.decision.parameters import DecisionParameters
from credit_scoring.decision.reasons import ReasonGroups
from credit_scoring.decision.uncertainty import PdIntervals, Uncertainty
from credit_scoring.features.definition import FeatureSet, load_feature_set
from credit_scoring.scorecard.fitting import fit_scorecard
from credit_scoring.scorecard.model import Scorecard
from credit_scoring.scorecard.parameters import ScorecardParameters

Values = NDArray[np.float64]

PROJECT = Path(__file__).parents[2]
TRAINED, APPLIED = slice(0, 5000), slice(5000, 6500)
# Sums of single-precision leaves.
TOLERANCE = 1e-4
# Nobody is outside the training range: reasons of the model alone are asked about.
NO_LIMITS = Uncertainty(
    pd_intervals=PdIntervals(
        level=0.9, window_rows=50, margins=(0.0,), low=(0.0, 0.1), high=(0.9, 1.0)
    ),
    ranges={},
)


@dataclass(frozen=True)
class Explained:
    """A candidate with what it decided on applications it was not trained on."""

    engine: DecisionEngine
    background: Values
    columns: dict[str, Values]
    decisions: Decisions

    @property
    def model(self) -> Model:
        return self.engine.model

    @property
    def features(self) -> FeatureSet:
        features = self.engine.features
        assert isinstance(features, FeatureSet)
        return features

    @property
    def points_per_unit(self) -> float:
        grading = self.engine.grading
        return grading.scaling.factor * grading.calibration.slope

    def score(self, x: Values) -> Values:
        """Points before they are rounded."""
        grading = self.engine.grading
        log_odds = grading.calibration.log_odds(self.model.margin(x))
        return grading.scaling.offset - grading.scaling.factor * log_odds

    def members(self, code: str) -> list[int]:
        """Columns of a reason group."""
        codes = self.engine.groups.codes
        return [place for place, one in enumerate(codes) if one == code]

    def refused(self, count: int) -> list[int]:
        """Applications with reasons of the model, spread over the scores."""
        rows = [
            row
            for row, reasons in enumerate(self.decisions.reasons)
            if any(reason.points is not None for reason in reasons)
        ]
        ordered = sorted(rows, key=lambda row: self.decisions.score[row])
        return ordered[:: max(1, len(ordered) // count)][:count]

    def reasons(self, row: int) -> list[Reason]:
        """Reasons of the model, without those of the policy."""
        return [r for r in self.decisions.reasons[row] if r.points is not None]


def shipped_columns() -> tuple[dict[str, Values], Values]:
    contract = contract_from_yaml(PROJECT / "conf/base/parameters_contract.yml")
    raw = pd.read_csv(
        PROJECT / "data/01_raw/taiwan_credit.csv.gz", encoding="utf-8-sig", nrows=6500
    )
    columns = {
        name: raw[contract.columns[name].source].to_numpy(np.float64)
        for name in contract.input_names
    }
    return columns, raw["DEFAULT"].to_numpy(np.float64)


def fitted(family: str, x: Values, bad: Values, features: FeatureSet) -> Model:
    samples = (x[:4000], bad[:4000], x[4000:], bad[4000:])
    named = {"feature_names": features.names, "directions": features.directions}
    conf = yaml.safe_load((PROJECT / f"conf/base/parameters_{family}.yml").read_text())
    if family == "boosting":
        few = conf[family] | {"n_trials": 1, "max_rounds": 60, "nthread": 1}
        parameters = BoostingParameters.model_validate(few)
        return fit_boosting(*samples, **named, parameters=parameters).model
    coarse = ScorecardParameters.model_validate(
        {"n_trials": 1, "binning": {"max_prebins": 8, "max_bins": 5}}
    )
    return fit_scorecard(*samples, **named, parameters=coarse).model


@pytest.fixture(scope="module", params=["boosting", "scorecard"])
def explained(request: pytest.FixtureRequest) -> Explained:
    columns, bad = shipped_columns()
    features = load_feature_set("taiwan_default")
    x = features.compute(columns)
    model = fitted(request.param, x[TRAINED], bad[TRAINED], features)
    conf = yaml.safe_load((PROJECT / "conf/base/parameters_decision.yml").read_text())
    decision = DecisionParameters.model_validate(conf["decision"])
    grading = Grading(
        Calibration(slope=1.05, intercept=0.02), decision.scaling, decision.policy
    )
    # The safest half of the training rows, as just-approved ones would be.
    margin = model.margin(x[TRAINED])
    background = x[TRAINED][margin < np.median(margin)][:300]
    engine = DecisionEngine(
        model.with_background(background),
        grading,
        features=features,
        groups=ReasonGroups(
            features.names,
            tuple(feature.reason for feature in features.features),
            features.reasons,
        ),
        columns=tuple(columns),
        uncertainty=NO_LIMITS,
    )
    applied = {name: values[APPLIED] for name, values in columns.items()}
    return Explained(engine, background, applied, engine.decide(applied, explain=False))


def walked_points(
    explained: Explained, row: Values, *, draws: int, seed: int
) -> Values:
    """What each group takes from the score on the way, shape (draws, n_groups)."""
    random = np.random.default_rng(seed)
    n_features = len(row)
    z = explained.background[random.integers(0, len(explained.background), draws)]
    orders = random.permuted(np.tile(np.arange(n_features), (draws, 1)), axis=1)
    groups = explained.engine.groups
    taken = np.zeros((draws, len(groups.ordered)))
    every = np.arange(draws)
    before = explained.score(z)
    for step in range(n_features):
        column = orders[:, step]
        z[every, column] = row[column]
        after = explained.score(z)
        taken[every, groups.group_of_feature[column]] += after - before
        before = after
    return taken


def test_points_are_what_the_group_takes_from_the_score_on_average(explained):
    for number, row in enumerate(explained.refused(4)):
        x = explained.decisions.features[row]
        taken = walked_points(explained, x, draws=1200, seed=number)
        error = taken.std(axis=0) / np.sqrt(len(taken))
        for reason in explained.reasons(row):
            group = explained.engine.groups.ordered.index(reason.code)
            # Reported in tenths.
            allowed = 0.05 + 4.5 * error[group] + TOLERANCE
            assert reason.points == pytest.approx(taken[:, group].mean(), abs=allowed)


def test_no_group_takes_more_than_those_that_are_named(explained):
    for row in explained.refused(200):
        x = explained.decisions.features[row : row + 1]
        values = explained.model.contributions(x)[0] * explained.points_per_unit
        lost = {
            code: values[explained.members(code)].sum()
            for code in explained.engine.groups.ordered
        }
        named = [reason.code for reason in explained.reasons(row)]
        least = min(lost[code] for code in named)
        rest = [value for code, value in lost.items() if code not in named]
        own = 4 - (len(explained.decisions.reasons[row]) - len(named))
        assert len(named) == own or max(rest) <= 0.05 + TOLERANCE
        assert max(rest) <= least + 0.1


def test_points_of_all_groups_add_up_to_what_separates_from_the_background(explained):
    x = explained.decisions.features[:200]
    total = -explained.points_per_unit * explained.model.contributions(x).sum(axis=1)
    expected = explained.score(x) - explained.score(explained.background).mean()
    assert np.abs(total - expected).max() < 0.01


def subsets(n_features: int) -> list[tuple[int, ...]]:
    places = range(n_features)
    return [s for size in range(n_features + 1) for s in combinations(places, size)]


def by_enumeration(score, row: Values, background: Values, group: list[int]) -> float:
    """Shapley values of a group's features by every subset of the others."""
    n = len(row)
    worth = {}
    for taken in subsets(n):
        rows = background.copy()
        rows[:, list(taken)] = row[list(taken)]
        worth[taken] = score(rows).mean()
    total = 0.0
    for taken, value in worth.items():
        for feature in set(group) - set(taken):
            joined = worth[tuple(sorted((*taken, feature)))]
            weight = factorial(len(taken)) * factorial(n - len(taken) - 1)
            total += weight / factorial(n) * (joined - value)
    return total


def test_on_few_features_every_subset_gives_the_stated_points():
    """Seven features in three groups, with interactions that trees found."""
    random = np.random.default_rng(12)
    x = random.normal(0, 1, (2500, 7))
    x[random.random(x.shape) < 0.05] = np.nan
    filled = np.nan_to_num(x)
    log_odds = filled[:, 0] * filled[:, 1] + filled[:, 2] - filled[:, 5] * filled[:, 6]
    bad = (random.random(2500) < 1 / (1 + np.exp(-log_odds))).astype(float)
    names = tuple("abcdefg")
    conf = yaml.safe_load((PROJECT / "conf/base/parameters_boosting.yml").read_text())
    few = conf["boosting"] | {"n_trials": 1, "max_rounds": 25, "nthread": 1}
    model = fit_boosting(
        *(x[:2000], bad[:2000], x[2000:], bad[2000:]),
        feature_names=names,
        directions=(0,) * 7,
        parameters=BoostingParameters.model_validate(few),
    ).model
    background = x[:30]
    groups = ReasonGroups(names, tuple("PPQQRRR"), dict.fromkeys("PQR", "text"))
    rows = x[2000:2012]
    found = groups.explain(model.with_background(background).contributions(rows), 40.0)
    places = {"P": [0, 1], "Q": [2, 3], "R": [4, 5, 6]}
    for row, reasons in zip(rows, found, strict=True):
        named = {reason.code: reason.points for reason in reasons}
        for code, group in places.items():
            exact = by_enumeration(
                lambda z: -40.0 * model.margin(z), row, background, group
            )
            if code in named:
                assert named[code] == pytest.approx(exact, abs=0.05 + TOLERANCE)
            else:
                assert exact > -0.05 - TOLERANCE


def changed_alone(explained: Explained, row: int, code: str) -> Values:
    """Scores with one group's features as each background applicant has them."""
    members = explained.members(code)
    rows = np.tile(explained.decisions.features[row], (len(explained.background), 1))
    rows[:, members] = explained.background[:, members]
    return explained.score(rows)


def test_changing_the_named_group_alone_gives_the_points_back(explained):
    """Exactly for a scorecard; for trees up to what groups do together."""
    own = explained.score(explained.decisions.features)
    pairs = np.array(
        [
            (
                reason.points,
                own[row] - changed_alone(explained, row, reason.code).mean(),
            )
            for row in explained.refused(60)
            for reason in explained.reasons(row)
        ]
    )
    stated, measured = pairs.T
    if isinstance(explained.model, Scorecard):
        assert np.abs(stated - measured).max() < 0.05 + TOLERANCE
        return
    strong = stated <= -2
    assert strong.sum() > 50
    # A named factor that matters raises the score when it is put right.
    assert (measured[strong] < 0).mean() > 0.97
    assert np.corrcoef(stated, measured)[0, 1] > 0.9


def crossed(model: Model, before: Values, after: Values) -> NDArray[np.bool_]:
    """Rows of which a feature stands on the other side of a split, or of a bin."""
    if isinstance(model, TreeEnsemble):
        trees = model.trees
        splits = ~trees.is_leaf
        column, level = trees.feature[splits], trees.threshold[splits]
        sides = [rows.astype(np.float32)[:, column] < level for rows in (before, after)]
        return (sides[0] != sides[1]).any(axis=1)
    assert isinstance(model, Scorecard)
    moved = np.zeros(len(before), bool)
    for term in model.table.terms:
        column = model.features.index(term.feature)
        places = [
            np.searchsorted(term.edges, rows[:, column], "right")
            for rows in (before, after)
        ]
        moved |= places[0] != places[1]
    return moved


@pytest.mark.parametrize("sign", [-1, 1])
def test_tiny_noise_changes_no_reason_but_at_a_split(explained, sign):
    """Continuous features are moved by a billionth of themselves."""
    x = explained.decisions.features
    # Counts and codes have no values between them.
    continuous = np.array([(column % 1 != 0).any() for column in np.nan_to_num(x).T])
    noisy = np.where(continuous, x * (1 + sign * 1e-9), x)
    assert continuous.sum() > 10
    at_a_split = crossed(explained.model, x, noisy)
    assert at_a_split.mean() < 0.002
    before, after = (
        explained.engine.groups.explain(
            explained.model.contributions(np.ascontiguousarray(rows[~at_a_split])),
            explained.points_per_unit,
        )
        for rows in (x, noisy)
    )
    assert before == after
    assert sum(map(bool, before)) > 1000


def moves_to_safety(
    explained: Explained, place: int, direction: int, row: Values
) -> Values:
    """The row with one feature at every observed value that is safer."""
    observed = np.unique(explained.decisions.features[:, place])
    own = row[place]
    safer = observed[observed < own] if direction > 0 else observed[observed > own]
    moved = np.tile(row, (safer.size, 1))
    moved[:, place] = safer[~np.isnan(safer)]
    return moved


def test_no_step_to_safety_in_a_named_feature_lowers_the_score(explained):
    directions = dict(
        zip(explained.features.names, explained.features.directions, strict=True)
    )
    tried = 0
    for row in explained.refused(40):
        x = explained.decisions.features[row]
        own = explained.score(x[None, :])[0]
        for reason in explained.reasons(row):
            assert reason.feature is not None
            direction = directions[reason.feature]
            if not direction:
                continue
            place = explained.features.names.index(reason.feature)
            moved = moves_to_safety(explained, place, direction, x)
            tried += len(moved)
            assert (explained.score(moved) >= own).all(), reason.feature
    assert tried > 1000


def test_nobody_is_blamed_for_a_value_as_safe_as_all_of_the_background(explained):
    x = explained.decisions.features
    contributions = explained.model.contributions(x)
    safe = 0
    for place, direction in enumerate(explained.features.directions):
        compared = explained.background[:, place]
        if not direction or np.isnan(compared).any():
            continue
        safest = (-direction * compared).max()
        holds = -direction * x[:, place] >= safest
        safe += int(holds.sum())
        assert (contributions[holds, place] <= TOLERANCE / 10).all()
    assert safe > 1000
