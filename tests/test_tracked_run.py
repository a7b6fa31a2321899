from pathlib import Path
from typing import Any

import mlflow
import pytest
from pydantic import BaseModel

from credit_scoring.registry.provenance import UNKNOWN
from credit_scoring.tracked_run import TrackedRun, flattened, provenance_tags


class Shares(BaseModel):
    train: float
    test: float


class Split(BaseModel):
    salt: str
    shares: Shares
    dates: tuple[str, ...] | None = None


SPLIT = Split(salt="a", shares=Shares(train=0.7, test=0.3))


def test_a_typed_parameter_is_logged_value_by_value() -> None:
    assert dict(flattened("split", SPLIT)) == {
        "split.salt": "a",
        "split.shares.train": "0.7",
        "split.shares.test": "0.3",
        "split.dates": "null",
    }


def test_a_plain_parameter_is_logged_under_its_name() -> None:
    assert dict(flattened("seed", 1)) == {"seed": "1"}


def test_a_parameter_is_logged_once_and_the_contract_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logged: list[dict[str, Any]] = []
    monkeypatch.setattr(mlflow, "log_params", logged.append)
    run = TrackedRun()
    for _ in range(2):
        run._log_param("split", SPLIT)
    run._log_param("split.salt", "a")
    run._log_param("contract", {"columns": {}})
    assert [sorted(entry) for entry in logged if entry] == [
        ["split.dates", "split.salt", "split.shares.test", "split.shares.train"]
    ]


def test_a_run_names_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = Path(__file__).parents[1] / "requirements.lock"
    assert lock.is_file()
    tags = provenance_tags()
    assert tags["environment_digest"] != UNKNOWN
    assert set(tags) == {"git_revision", "git_dirty", "environment_digest"}
