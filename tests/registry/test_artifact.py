import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.digests import sha256_of_file
from credit_scoring.errors import ArtifactError
from credit_scoring.features.definition import FeatureSet
from credit_scoring.registry.artifact import EXPECTED, load_artifact
from credit_scoring.registry.artifact_writing import ArtifactContents
from credit_scoring.registry.manifest import read_manifest


def reseal(folder: Path) -> None:
    """Give the manifest the digests of the files as they are now."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"] = {
        name: sha256_of_file(folder / name)
        for name in manifest["files"]
        if (folder / name).exists()
    }
    path.write_text(json.dumps(manifest))


def set_in_manifest(folder: Path, key: str, value: Any) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest[key] = value
    path.write_text(json.dumps(manifest))


def set_in_json(folder: Path, name: str, key: str, value: Any) -> None:
    content = json.loads((folder / name).read_text())
    content[key] = value
    (folder / name).write_text(json.dumps(content))
    reseal(folder)


def test_loaded_artifact_decides_as_the_engine_it_was_written_from(
    folder: Path, contents: ArtifactContents, applications: dict[str, np.ndarray]
) -> None:
    loaded = load_artifact(folder)
    expected = contents.engine.decide(applications, explain=True)
    found = loaded.engine.decide(applications, explain=True)
    assert found.pd_.tobytes() == expected.pd_.tobytes()
    assert found.rows() == expected.rows()


def test_loaded_artifact_knows_what_it_is(
    folder: Path, contents: ArtifactContents
) -> None:
    loaded = load_artifact(folder)
    assert loaded.contract == contents.contract
    assert loaded.manifest.family == loaded.model.family == "linear"
    assert loaded.manifest.provenance == contents.provenance
    assert loaded.digest == sha256_of_file(folder / "manifest.json")
    assert loaded.reference["rows"] == 400
    assert set(loaded.reference_columns) == {"limit", "debt", "late"}
    loaded.warm_up()


def test_every_byte_of_every_file_matters(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or path.name == "manifest.json":
            continue
        whole = path.read_bytes()
        position = len(whole) // 2
        flipped = bytes([whole[position] ^ 1])
        path.write_bytes(whole[:position] + flipped + whole[position + 1 :])
        name = path.relative_to(folder).as_posix()
        with pytest.raises(ArtifactError, match=rf"altered .*: {name}$"):
            load_artifact(folder)
        path.write_bytes(whole)
    load_artifact(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "background.npz").unlink()
    with pytest.raises(ArtifactError, match=r"missing: background\.npz"):
        load_artifact(folder)


def test_a_file_that_is_not_listed_is_named(folder: Path) -> None:
    (folder / "model" / "extra.pkl").write_bytes(b"x")
    with pytest.raises(ArtifactError, match=r"not in the manifest: model/extra\.pkl"):
        load_artifact(folder)


def test_a_link_to_a_file_outside_is_not_listed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("x")
    (folder / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(ArtifactError, match="not in the manifest: link"):
        load_artifact(folder)


def test_long_lists_of_files_are_cut(folder: Path) -> None:
    for index in range(9):
        (folder / f"x{index}").touch()
    with pytest.raises(ArtifactError, match=r"x0, x1, x2, x3, x4 and 4 more$"):
        load_artifact(folder)


def test_a_folder_without_manifest_is_no_artifact(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"manifest\.json: not found"):
        load_artifact(tmp_path)


def test_a_manifest_of_another_format_is_refused(folder: Path) -> None:
    set_in_manifest(folder, "format", 99)
    with pytest.raises(ArtifactError, match=r"manifest\.json: 1 faults; format"):
        load_artifact(folder)


def test_a_truncated_manifest_is_refused(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ArtifactError, match=r"manifest\.json: 1 faults; file"):
        load_artifact(folder)


def test_features_of_other_code_are_refused(
    folder: Path, feature_set: FeatureSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = FeatureSet(
        name="small_set",
        features=feature_set.features,
        reasons=feature_set.reasons,
        source="v2",
    )
    module = sys.modules["credit_scoring.features.small_set"]
    monkeypatch.setattr(module, "FEATURE_SET", changed)
    with pytest.raises(
        ArtifactError, match=r"made with feature version .* train again"
    ):
        load_artifact(folder)


def test_a_feature_set_that_the_code_lacks_is_named(folder: Path) -> None:
    set_in_manifest(folder, "feature_set", "elsewhere")
    with pytest.raises(ArtifactError, match=r"manifest\.json: no feature set"):
        load_artifact(folder)


def test_another_contract_is_refused(folder: Path) -> None:
    set_in_json(folder, "contract.json", "title", "another title")
    with pytest.raises(ArtifactError, match=r"contract\.json: its digest"):
        load_artifact(folder)


def test_a_contract_that_is_none_is_refused(folder: Path) -> None:
    set_in_json(folder, "contract.json", "columns", {})
    with pytest.raises(ArtifactError, match=r"contract\.json: 1 faults"):
        load_artifact(folder)


def test_another_policy_is_refused(folder: Path) -> None:
    set_in_json(folder, "policy.json", "history_unavailable_text", "Other.")
    with pytest.raises(ArtifactError, match=r"policy\.json: its version"):
        load_artifact(folder)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("calibration.json", "slope", -1),
        ("scaling.json", "pdo", 0),
        ("policy.json", "decline_below", 999),
    ],
)
def test_impossible_grading_is_named_by_its_file(
    folder: Path, name: str, key: str, value: float
) -> None:
    set_in_json(folder, name, key, value)
    with pytest.raises(ArtifactError, match=rf"{name}: 1 faults"):
        load_artifact(folder)


def test_features_without_reasons_are_refused(folder: Path) -> None:
    set_in_json(folder, "features.json", "reasons", {"DEBT": "You owe much."})
    with pytest.raises(ArtifactError, match=r"features\.json: .* first months_late"):
        load_artifact(folder)


def test_features_in_another_order_are_refused(folder: Path) -> None:
    content = json.loads((folder / "features.json").read_text())
    set_in_json(folder, "features.json", "features", content["features"][::-1])
    with pytest.raises(ArtifactError, match="names and order must be equal"):
        load_artifact(folder)


def test_an_unknown_family_is_named(folder: Path) -> None:
    set_in_manifest(folder, "family", "oracle")
    with pytest.raises(ArtifactError, match="family 'oracle' is none of scorecard"):
        load_artifact(folder)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def other_arrays(path: Path) -> None:
    np.savez(path, other=np.zeros(3))


def pickled(path: Path) -> None:
    np.savez(path, features=np.array([object()]), allow_pickle=True)


@pytest.mark.parametrize("name", ["background.npz", "reference_rows.npz"])
@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (cut, "cannot be read"),
        (empty, "cannot be read"),
        (other_arrays, "holds no features"),
        (pickled, "cannot be read: Object arrays"),
        (Path.unlink, "not in the artifact"),
    ],
)
def test_arrays_that_cannot_be_read_are_named(
    folder: Path, name: str, harm: Callable[[Path], None], message: str
) -> None:
    harm(folder / name)
    reseal(folder)
    with pytest.raises(ArtifactError, match=f"{name}: {message}"):
        load_artifact(folder)


@pytest.mark.parametrize(
    ("name", "message"),
    [("reference.json", "not JSON"), ("features.json", "not JSON")],
)
def test_json_that_cannot_be_read_is_named(
    folder: Path, name: str, message: str
) -> None:
    cut(folder / name)
    reseal(folder)
    with pytest.raises(ArtifactError, match=f"{name}: {message}"):
        load_artifact(folder)


def test_json_that_the_manifest_leaves_out_is_named(folder: Path) -> None:
    (folder / "scaling.json").unlink()
    reseal(folder)
    with pytest.raises(ArtifactError, match=r"scaling\.json: not in the artifact"):
        load_artifact(folder)


@pytest.mark.parametrize("name", EXPECTED)
def test_reference_rows_must_be_reproduced_to_the_bit(folder: Path, name: str) -> None:
    path = folder / "reference_rows.npz"
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    first = arrays[name].flat[0]
    arrays[name].flat[0] = np.nextafter(first, np.inf)
    np.savez(path, **arrays)
    reseal(folder)
    with pytest.raises(
        ArtifactError, match=rf"reference_rows\.npz: {name} of the 12 reference"
    ):
        load_artifact(folder)


def test_reference_rows_without_a_column_are_refused(folder: Path) -> None:
    path = folder / "reference_rows.npz"
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files if key != "column.debt"}
    np.savez(path, **arrays)
    reseal(folder)
    with pytest.raises(ArtifactError, match=r"reference_rows\.npz: columns missing"):
        load_artifact(folder)


def test_another_model_does_not_reproduce_the_reference_rows(folder: Path) -> None:
    content = json.loads((folder / "model/linear.json").read_text())
    content["weights"][1] = 0.90000001
    (folder / "model/linear.json").write_text(json.dumps(content))
    reseal(folder)
    with pytest.raises(ArtifactError, match="margin of the 12 reference"):
        load_artifact(folder)


def test_a_model_without_background_is_refused(folder: Path) -> None:
    content = json.loads((folder / "model/linear.json").read_text())
    content["background"] = None
    (folder / "model/linear.json").write_text(json.dumps(content))
    reseal(folder)
    with pytest.raises(ArtifactError, match=r"reference_rows\.npz: no background"):
        load_artifact(folder)


def test_a_copy_elsewhere_loads_the_same(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "elsewhere")
    assert load_artifact(copy).digest == load_artifact(folder).digest


def test_a_feature_version_is_checked_before_any_model_is_loaded(folder: Path) -> None:
    set_in_manifest(folder, "feature_version", "0" * 16)
    (folder / "model/linear.json").write_text("{}")
    reseal(folder)
    with pytest.raises(ArtifactError, match="made with feature version 0000"):
        load_artifact(folder)


def test_loading_and_deciding_needs_no_training_library(
    folder: Path, package_copy: Path
) -> None:
    # numba imports scipy by itself where it is installed.
    code = (
        "import sys; from pathlib import Path;"
        "from credit_scoring.registry.artifact import load_artifact;"
        "load_artifact(Path(sys.argv[1])).warm_up();"
        "unwanted = {'kedro', 'mlflow', 'evidently', 'pandas', 'sklearn', 'xgboost',"
        " 'optbinning', 'matplotlib', 'bentoml'} & set(sys.modules);"
        "assert not unwanted, unwanted"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        env={**os.environ, "PYTHONPATH": str(package_copy.parent)},
        check=True,
        timeout=120,
    )


def test_uncertainty_travels_with_the_artifact(
    folder: Path, engine: DecisionEngine
) -> None:
    assert "uncertainty.json" in read_manifest(folder).files
    assert load_artifact(folder).engine.uncertainty == engine.uncertainty


def test_an_artifact_of_an_older_release_decides_without_intervals(
    folder: Path,
) -> None:
    (folder / "uncertainty.json").unlink()
    files = read_manifest(folder).files
    del files["uncertainty.json"]
    set_in_manifest(folder, "files", files)
    artifact = load_artifact(folder)
    assert artifact.engine.uncertainty is None
    decision = artifact.engine.decide(artifact.reference_columns, explain=False).row(0)
    assert artifact.engine.pd_interval(decision) is None


def test_uncertainty_that_makes_no_sense_is_named(folder: Path) -> None:
    (folder / "uncertainty.json").write_text('{"pd_intervals": 1, "ranges": {}}')
    reseal(folder)
    with pytest.raises(ArtifactError, match=r"uncertainty\.json: 1 faults"):
        load_artifact(folder)
