"""A score is the sum of its parts."""

import numpy as np

from credit_scoring.decision.breakdown import break_down

from ..serving.conftest import small_engine


def test_the_factors_lead_from_the_reference_to_the_score() -> None:
    engine = small_engine()
    decided = engine.decide_rows(np.array([[900.0, 3.0]]), explain=True)
    parts = break_down(engine, decided.features)
    # The model's contributions are its margin, so its reference has margin 0.
    assert parts.reference_score == 520
    assert [f.code for f in parts.factors] == ["SIZE", "LATE"]
    total = parts.reference_score + sum(f.points for f in parts.factors)
    assert abs(total - decided.score.item(0)) <= 0.05
    assert [round(f.points, 1) for f in parts.factors] == [
        r.points for r in decided.reasons[0]
    ]
    assert parts.factors[0].text == "You ask for much."
