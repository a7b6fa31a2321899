import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.reasons import ReasonGroups
from credit_scoring.errors import ArtifactError, InvalidProbabilityError, PolicyError

FACTOR = 20 / np.log(2)


def columns(*rows: tuple[float, float]) -> dict[str, np.ndarray]:
    days, amount = zip(*rows, strict=True)
    return {"days": np.array(days), "amount": np.array(amount)}


def test_decision_is_worked_by_hand(engine: DecisionEngine) -> None:
    # margin = 0.5 * 1 + 1.0 * 0.2 = 0.7, so the score is 500 - 28.85 * 0.7.
    decision = engine.decide(columns((1.0, 20.0)), explain=False).row(0)
    assert decision.pd == pytest.approx(1 / (1 + np.exp(-0.7)))
    assert decision.score == 479.8
    assert (decision.band, decision.decision) == ("C", "decline")
    # Against debt -1 and late 0: 1.2 and 0.5 units of margin.
    assert [(r.code, r.feature, r.points) for r in decision.reasons] == [
        ("DEBT", "debt", -34.6),
        ("ARREARS", "late", -14.4),
    ]


def test_points_of_all_features_sum_to_the_score_difference(
    engine: DecisionEngine,
) -> None:
    rows = engine.decide(columns((1.0, 20.0), (2.0, 0.0)), explain=True)
    background = engine.model.margin(np.array([[0.0, -1.0, 0.1]]))
    lost = -FACTOR * engine.model.contributions(rows.features).sum(axis=1)
    expected = -FACTOR * (rows.margin - background)
    assert lost == pytest.approx(expected)


def test_approved_applications_have_reasons_only_on_request(
    engine: DecisionEngine,
) -> None:
    good = columns((0.0, -90.0))
    assert engine.decide(good, explain=False).row(0).decision == "approve"
    assert engine.decide(good, explain=False).row(0).reasons == ()
    assert [r.code for r in engine.decide(good, explain=True).row(0).reasons] == [
        "DEBT"
    ]


def test_policy_decline_gives_the_reason_of_the_policy_alone(
    engine: DecisionEngine,
) -> None:
    for explain in (False, True):
        decision = engine.decide(columns((3.0, 950.0)), explain=explain).row(0)
        assert decision.decision == "decline"
        assert [(r.code, r.feature, r.points) for r in decision.reasons] == [
            ("R_LATE", "late", None)
        ]
        assert decision.reasons[0].text == "It is late."


def test_the_reason_of_a_rule_comes_before_those_of_the_model(
    engine: DecisionEngine,
) -> None:
    # Scored 500 - 28.85 * 0.27: referred by the score and by the rule.
    decision = engine.decide(columns((-1.0, 77.0)), explain=False).row(0)
    assert decision.decision == "refer"
    assert [r.code for r in decision.reasons] == ["R_EXACT", "DEBT"]


def test_a_rule_refers_what_the_score_approves_and_is_its_only_reason(
    engine: DecisionEngine,
) -> None:
    good = columns((-40.0, 900.0))
    decision = engine.decide(good, explain=False).row(0)
    assert (decision.decision, decision.band) == ("refer", "A")
    assert [r.code for r in decision.reasons] == ["R_BIG"]
    asked = engine.decide(good, explain=True).row(0)
    assert [r.code for r in asked.reasons] == ["R_BIG", "DEBT"]


def test_a_referring_rule_is_no_reason_for_what_the_score_declines(
    engine: DecisionEngine,
) -> None:
    decision = engine.decide(columns((0.0, 950.0)), explain=False).row(0)
    assert decision.decision == "decline"
    assert [r.code for r in decision.reasons] == ["DEBT"]


@given(
    st.lists(
        st.tuples(st.floats(-5, 5), st.sampled_from([-300.0, 0.0, 77.0, 950.0])),
        min_size=1,
        max_size=12,
    ),
    st.booleans(),
)
def test_a_row_is_decided_the_same_alone_and_in_a_batch(
    rows: list[tuple[float, float]], explain: bool
) -> None:
    # hypothesis and function-scoped fixtures do not go together
    engine = _ENGINE[0]
    together = engine.decide(columns(*rows), explain=explain)
    for index, row in enumerate(rows):
        alone = engine.decide(columns(row), explain=explain)
        assert alone.row(0) == together.row(index)
        assert alone.pd_.tobytes() == together.pd_[index : index + 1].tobytes()
        assert alone.margin.tobytes() == together.margin[index : index + 1].tobytes()


_ENGINE: list[DecisionEngine] = []


@pytest.fixture(autouse=True)
def _share(engine: DecisionEngine) -> None:
    _ENGINE[:] = [engine]


def test_reported_score_and_decision_never_contradict(engine: DecisionEngine) -> None:
    amount = np.random.default_rng(6).normal(0, 60, 2000)
    rows = engine.decide(
        {"days": np.zeros(2000), "amount": amount}, explain=False
    ).rows()
    for decision in rows:
        score = decision.score or 0.0
        expected = "approve" if score >= 520 else "refer"
        expected = "decline" if score < 480 else expected
        assert decision.decision == expected


def test_no_application_gives_no_decision(engine: DecisionEngine) -> None:
    empty = {"days": np.empty(0), "amount": np.empty(0)}
    assert engine.decide(empty, explain=True).rows() == []


def test_without_rules_the_score_decides_alone(engine: DecisionEngine) -> None:
    policy = engine.grading.policy.model_copy(update={"rules": ()})
    grading = dataclasses.replace(engine.grading, policy=policy)
    free = DecisionEngine(
        engine.model,
        grading,
        features=engine.features,
        groups=engine.groups,
        columns=engine.columns,
    )
    decision = free.decide(columns((3.0, -300.0)), explain=False).row(0)
    assert decision.decision == "approve"


def test_without_history_the_answer_is_refer_and_no_pd_is_made_up(
    engine: DecisionEngine,
) -> None:
    decision = engine.decide_without_history()
    assert (decision.pd, decision.score, decision.band) == (None, None, None)
    assert decision.decision == "refer"
    (reason,) = decision.reasons
    assert (reason.code, reason.text) == ("HISTORY_UNAVAILABLE", "No history.")


def test_warm_up_decides_for_one_and_for_several(engine: DecisionEngine) -> None:
    engine.warm_up(columns((1.0, 20.0), (0.0, -90.0)))


def test_policy_version_is_the_policys(engine: DecisionEngine) -> None:
    assert engine.policy_version == engine.grading.policy.version


def test_a_margin_that_is_no_number_is_counted_and_placed(
    engine: DecisionEngine,
) -> None:
    rows = columns((0.0, 0.0), (np.inf, 0.0))
    with pytest.raises(InvalidProbabilityError, match=r"1 of 2 margins .* at row 1"):
        engine.decide(rows, explain=False)


def test_model_and_code_must_have_the_same_features(engine: DecisionEngine) -> None:
    groups = ReasonGroups(("other",), ("X",), {"X": "t"})
    with pytest.raises(ArtifactError, match="names and order must be equal"):
        DecisionEngine(
            engine.model,
            engine.grading,
            features=engine.features,
            groups=groups,
            columns=engine.columns,
        )


def test_a_rule_on_a_column_that_may_not_be_used_is_refused(
    engine: DecisionEngine,
) -> None:
    with pytest.raises(PolicyError, match="R_BIG"):
        DecisionEngine(
            engine.model,
            engine.grading,
            features=engine.features,
            groups=engine.groups,
            columns=("days",),
        )


def test_a_feature_on_a_column_that_may_not_be_used_is_refused(
    engine: DecisionEngine,
) -> None:
    policy = engine.grading.policy.model_copy(update={"rules": ()})
    with pytest.raises(ArtifactError, match="no decision may use: amount"):
        DecisionEngine(
            engine.model,
            dataclasses.replace(engine.grading, policy=policy),
            features=engine.features,
            groups=engine.groups,
            columns=("days",),
        )
