import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from credit_scoring.errors import ArtifactError
from credit_scoring.registry.artifact_writing import ArtifactContents
from credit_scoring.registry.scoring import artifact_folder, decide_with, main


@pytest.fixture
def model_folder(tmp_path: Path, folder: Path) -> Path:
    place = tmp_path / "an mlflow model"
    shutil.copytree(folder, place / "data" / "artifact")
    described = {"flavors": {"python_function": {"data": "data/artifact"}}}
    (place / "MLmodel").write_text(yaml.safe_dump(described))
    return place


def test_a_registered_model_decides_as_its_engine(
    model_folder: Path, contents: ArtifactContents, applications: dict[str, np.ndarray]
) -> None:
    found = decide_with(model_folder, applications)
    expected = contents.engine.decide_unexplained(applications)
    for name in ("margin", "pd_", "score", "outcome"):
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes()


def test_a_model_of_other_features_decides_by_its_own_code(
    model_folder: Path,
    package_copy: Path,
    contents: ArtifactContents,
    applications: dict[str, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(package_copy.parent, model_folder / "code")
    expected = contents.engine.decide_unexplained(applications)
    monkeypatch.setattr(contents.feature_set, "_source", "v2")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    found = decide_with(model_folder, applications)
    assert found.margin.tobytes() == expected.margin.tobytes()
    assert found.outcome.tobytes() == expected.outcome.tobytes()


def test_a_model_that_no_code_can_decide_with_says_why(
    model_folder: Path, applications: dict[str, np.ndarray]
) -> None:
    (model_folder / "code").mkdir()
    (model_folder / "data/artifact/scaling.json").write_text("{}")
    with pytest.raises(ArtifactError, match="neither this code nor its own can decide"):
        decide_with(model_folder, applications)


@pytest.mark.parametrize("content", ["flavors: {}", "- 1", "{", None])
def test_a_folder_that_is_no_model_is_refused(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "MLmodel").write_text(content)
    with pytest.raises(ArtifactError, match="MLmodel: names no artifact folder"):
        artifact_folder(tmp_path)


def test_the_module_scores_from_file_to_file(
    folder: Path, tmp_path: Path, applications: dict[str, np.ndarray]
) -> None:
    np.savez(tmp_path / "columns.npz", **applications)
    answered = tmp_path / "decided.npz"
    main(str(folder), str(tmp_path / "columns.npz"), str(answered))
    with np.load(answered) as decided:
        assert {name: decided[name].shape for name in decided.files} == dict.fromkeys(
            ("margin", "pd_", "score", "outcome"), (400,)
        )
