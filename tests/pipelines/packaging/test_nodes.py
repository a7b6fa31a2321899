from pathlib import Path
from typing import Any

import pytest

from credit_scoring.errors import PromotionError
from credit_scoring.pipelines.packaging import create_pipeline, nodes
from credit_scoring.pipelines.packaging.nodes import import_models, pack_release


@pytest.mark.parametrize("record", [{}, {"champion": None, "challenger": None}])
def test_without_a_champion_there_is_nothing_to_pack(
    record: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PromotionError, match="there is no champion to pack"):
        import_models(record)
    # MLflow would make its store here.
    assert list(tmp_path.iterdir()) == []


def test_the_release_says_what_is_in_the_bento(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed: list[Any] = []

    def build(folder: Path, models: Any, record: Any, versions: Any) -> str:
        packed.append((models, record, versions))
        return f"b:{folder.name}"

    monkeypatch.setattr(nodes, "build_bento", build)
    versions = {"champion": {"policy_version": "p"}}
    models = {"champion": "credit_scoring:v1-0", "challenger": None}
    record = {"digest": "r"}
    release = pack_release(models, versions, record, tmp_path / "bentos")
    assert release["bento"] == "b:bentos"
    assert packed == [(models, record, versions)]
    assert release["models"] == models
    assert release["versions"] == versions
    assert release["promotion_record"] == "r"
    assert release["policy_version"] == "p"
    assert release["created_at"].endswith("+00:00")


def test_models_are_imported_before_the_bento_is_built() -> None:
    names = [node.name for node in create_pipeline().nodes]
    assert names == ["import_models", "pack_release"]
