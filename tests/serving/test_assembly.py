"""Loading the models: a champion that must be right, a challenger that may fail."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.errors import ArtifactError
from credit_scoring.registry.manifest import Provenance
from credit_scoring.serving import assembly
from credit_scoring.serving.assembly import load_models
from credit_scoring.serving.models import ModelFolder
from credit_scoring.serving.runners import InProcessRunner

CHAMPION = ModelFolder(Path("champion"), "credit_scoring", "3")
CHALLENGER = ModelFolder(Path("challenger"), "credit_scoring", "4")
PROVENANCE = Provenance(
    data_digest="0" * 64,
    git_revision="unknown",
    environment_digest="unknown",
    git_dirty=None,
)


@pytest.fixture
def warmed() -> list[str]:
    return []


@pytest.fixture
def artifacts(
    contract: Contract,
    runner: InProcessRunner,
    warmed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Callable[..., None]:
    """Put artifacts in place by folder; an error stands for one that is altered."""

    (tmp_path / "model_card.md").write_text("# A model")

    def put(**by_folder: Any) -> None:
        def load(folder: Path, *, compiled: bool) -> Any:
            assert compiled
            given = by_folder[folder.name]
            if isinstance(given, Exception):
                raise given
            return SimpleNamespace(
                contract=given,
                engine=runner.engine,
                digest=folder.name,
                folder=tmp_path,
                manifest=SimpleNamespace(
                    feature_version="0123456789abcdef", provenance=PROVENANCE
                ),
                reference_columns={"amount": np.ones(2), "days_late_1": np.ones(2)},
                warm_up=lambda: warmed.append(folder.name),
                fallback="",
                reference={},
            )

        monkeypatch.setattr(assembly, "load_artifact", load)

    return put


def test_both_models_are_loaded_and_warm(
    artifacts: Callable[..., None], contract: Contract, warmed: list[str]
) -> None:
    artifacts(champion=contract, challenger=contract)
    models = load_models(CHAMPION, CHALLENGER)
    assert models.champion.model.version == "3"
    assert models.champion.model.role == "champion"
    assert models.challenger is not None
    assert models.challenger.model.role == "challenger"
    assert models.challenger.model.digest == "challenger"
    assert warmed == ["champion", "challenger"]


def test_there_may_be_no_challenger(
    artifacts: Callable[..., None], contract: Contract
) -> None:
    artifacts(champion=contract)
    assert load_models(CHAMPION, None).challenger is None


def test_an_altered_champion_stops_the_start(artifacts: Callable[..., None]) -> None:
    artifacts(champion=ArtifactError("policy.json is altered"))
    with pytest.raises(ArtifactError, match=r"policy\.json"):
        load_models(CHAMPION, None)


def test_an_altered_challenger_is_left_out_and_logged(
    artifacts: Callable[..., None],
    contract: Contract,
    caplog: pytest.LogCaptureFixture,
) -> None:
    artifacts(champion=contract, challenger=ArtifactError("model/x is altered"))
    assert load_models(CHAMPION, CHALLENGER).challenger is None
    assert "the challenger is left out: model/x is altered" in caplog.text


def test_a_challenger_under_another_contract_is_left_out(
    artifacts: Callable[..., None],
    contract: Contract,
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = contract.model_copy(update={"version": 2})
    artifacts(champion=contract, challenger=other)
    assert load_models(CHAMPION, CHALLENGER).challenger is None
    assert "is not the champion's" in caplog.text
