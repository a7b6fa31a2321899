from pathlib import Path

import numpy as np
import pytest

from credit_scoring.errors import PromotionError
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.champion import NO_CHAMPION, champion_on
from credit_scoring.registry.mlflow_registry import CandidateLog, MlflowRegistry


def register_champion(folder: Path) -> MlflowRegistry:
    registry = MlflowRegistry()
    log = CandidateLog({}, {}, "data.csv", {})
    version = registry.log_candidate(load_artifact(folder), log)
    registry.set_alias("champion", version.version)
    return registry


@pytest.mark.usefixtures("mlflow_store")
def test_the_champion_is_loaded_from_the_registry_and_decides_now(
    folder: Path, applications: dict[str, np.ndarray]
) -> None:
    assert champion_on(MlflowRegistry(), "champion", applications) == NO_CHAMPION
    found = champion_on(register_champion(folder), "champion", applications)
    expected = load_artifact(folder).engine.decide_unexplained(applications)
    assert (found.version, found.fault) == (1, None)
    assert found.decisions().margin.tobytes() == expected.margin.tobytes()
    assert found.decisions().outcome.tobytes() == expected.outcome.tobytes()


def test_a_champion_whose_files_are_gone_says_so(
    folder: Path, applications: dict[str, np.ndarray], mlflow_store: Path
) -> None:
    registry = register_champion(folder)
    (mlflow_store / "mlruns").rename(mlflow_store / "moved")
    found = champion_on(registry, "champion", applications)
    assert (found.version, found.decided) == (1, None)
    with pytest.raises(PromotionError, match="are not where the registry says"):
        found.decisions()


def test_nobody_decides_nothing() -> None:
    with pytest.raises(PromotionError, match="there is no champion to compare with"):
        NO_CHAMPION.decisions()
