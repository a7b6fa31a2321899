from typing import Any

import pytest

from credit_scoring.errors import RollbackRefusedError
from credit_scoring.pipelines.rollback import create_pipeline, nodes
from credit_scoring.pipelines.rollback.nodes import restore_champion
from credit_scoring.pipelines.rollback.parameters import RollbackParameters


class Opened:
    """Promotions that note what is asked of them."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def roll_back(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return {"kind": "rollback"}


@pytest.mark.parametrize("why", ["", "  "])
def test_a_rollback_without_a_reason_is_refused(why: str) -> None:
    with pytest.raises(RollbackRefusedError, match="needs a reason"):
        restore_champion(RollbackParameters(why=why))


def test_version_and_reason_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Opened()
    monkeypatch.setattr(nodes, "open_promotions", lambda model: opened)
    record = restore_champion(RollbackParameters(why=" declines rose ", version=3))
    assert record == {"kind": "rollback"}
    assert opened.asked == [{"why": "declines rose", "version": 3}]


def test_what_is_restored_is_packed() -> None:
    pipeline = create_pipeline()
    names = [node.name for node in pipeline.nodes]
    assert names[0] == "restore_champion"
    assert names[-1] == "pack_release"
    assert pipeline.inputs() == {"params:rollback", "service_folder"}
