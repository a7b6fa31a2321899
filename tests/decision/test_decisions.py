import msgspec
import pytest

from credit_scoring.decision.decisions import Decision, Outcome, Reason


def test_decline_is_more_severe_than_refer_and_refer_than_approve() -> None:
    assert Outcome.DECLINE > Outcome.REFER > Outcome.APPROVE


@pytest.mark.parametrize("label", ["approve", "refer", "decline"])
def test_outcome_and_word_go_together(label: str) -> None:
    assert Outcome.from_label(label).label == label


def test_another_word_is_no_outcome() -> None:
    with pytest.raises(ValueError, match="maybe"):
        Outcome.from_label("maybe")


def test_decision_encodes_as_the_answer_names_it() -> None:
    reason = Reason("DEBT", "debt", "You owe much.", -12.5)
    decision = Decision(0.25, 480.0, "B", "refer", (reason,))
    assert msgspec.json.encode(decision) == (
        b'{"pd":0.25,"score":480.0,"band":"B","decision":"refer","reasons":'
        b'[{"code":"DEBT","feature":"debt","text":"You owe much.","points":-12.5}],'
        b'"margin":null,"features":null}'
    )
