import dataclasses
from pathlib import Path

import pytest

from credit_scoring.errors import ArtifactError
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.artifact_writing import ArtifactContents, write_artifact

EXPECTED = {
    "background.npz",
    "calibration.json",
    "contract.json",
    "features.json",
    "manifest.json",
    "metrics.json",
    "model/linear.json",
    "model_card.md",
    "policy.json",
    "reference.json",
    "reference_rows.npz",
    "scaling.json",
    "uncertainty.json",
}


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_artifact_is_a_folder_of_plain_files(folder: Path) -> None:
    assert files(folder) == EXPECTED
    assert [p.name for p in folder.parent.iterdir()] == ["artifact"]


def test_equal_contents_are_equal_bytes(
    tmp_path: Path, contents: ArtifactContents
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert write_artifact(first, contents) == write_artifact(second, contents)
    for name in files(first):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_what_was_there_is_replaced_as_a_whole(
    folder: Path, contents: ArtifactContents
) -> None:
    (folder / "stale").touch()
    write_artifact(folder, contents)
    load_artifact(folder)


def test_what_cannot_be_written_leaves_the_old_one_whole(
    folder: Path, contents: ArtifactContents
) -> None:
    unspeakable = {"test": {"auc": {"value": float("nan")}}}
    with pytest.raises(ArtifactError, match=r"metrics\.json: Out of range"):
        write_artifact(folder, dataclasses.replace(contents, metrics=unspeakable))
    load_artifact(folder)
    assert [p.name for p in folder.parent.iterdir()] == ["artifact"]


def test_other_people_may_read_the_folder(folder: Path) -> None:
    assert folder.stat().st_mode & 0o055 == 0o055
