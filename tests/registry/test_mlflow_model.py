import pickletools
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.bento_store import import_version
from credit_scoring.registry.mlflow_model import (
    _load_pyfunc,
    input_example,
    pinned_requirements,
)
from credit_scoring.registry.mlflow_registry import CandidateLog, MlflowRegistry
from credit_scoring.registry.scoring import artifact_folder
from credit_scoring.registry.versions import RegisteredVersion

NO_LOG = CandidateLog({}, {}, "data.csv", {})


@pytest.fixture
def version(mlflow_store: Path, folder: Path) -> RegisteredVersion:
    assert mlflow_store
    return MlflowRegistry().log_candidate(load_artifact(folder), NO_LOG)


def test_mlflow_gives_the_pd_of_the_engine_to_the_bit(
    version: RegisteredVersion, folder: Path, applications: dict[str, np.ndarray]
) -> None:
    model = mlflow.pyfunc.load_model(f"models:/credit_scoring/{version.version}")
    answers = model.predict(pd.DataFrame(applications, index=range(5, 405)))
    expected = load_artifact(folder).engine.decide(applications, explain=False)
    assert answers["pd"].to_numpy().tobytes() == expected.pd_.tobytes()
    assert answers["score"].tolist() == expected.score.tolist()
    assert answers["decision"].tolist() == [row.decision for row in expected.rows()]
    assert answers.index.tolist() == list(range(5, 405))


def test_order_and_kind_of_the_columns_do_not_matter(folder: Path) -> None:
    model = _load_pyfunc(str(folder))
    asked = pd.DataFrame({"late": [1], "debt": [500], "limit": [1000.0]})
    same = pd.DataFrame({"limit": [1000], "debt": [500.0], "late": [1]}, dtype="Int64")
    assert model.predict(asked).equals(model.predict(same))


def test_example_is_one_application_of_the_contracts_examples(
    contract: Contract,
) -> None:
    assert input_example(contract).to_dict("records") == [
        {"limit": 1000.0, "debt": 500.0, "late": 0.0}
    ]


def test_a_column_without_example_has_its_lowest_value(contract: Contract) -> None:
    columns = dict(contract.columns)
    columns["limit"] = columns["limit"].model_copy(update={"example": None})
    columns["late"] = columns["late"].model_copy(update={"example": None})
    example = input_example(contract.model_copy(update={"columns": columns}))
    assert example.to_dict("records") == [{"limit": 1.0, "debt": 500.0, "late": 0.0}]


def test_a_label_of_the_example_is_its_code(contract: Contract) -> None:
    document = contract.model_dump(mode="json")
    name = contract.input_names[0]
    changes = {"type": "string", "categories": {3: "RENT", 4: "OWN"}, "example": "OWN"}
    said = {"source": "x", "role": "application", "description": "x"}
    document["columns"][name] = said | changes
    example = input_example(Contract.model_validate(document))
    assert example[name].tolist() == [4.0]


def test_requirements_are_pinned() -> None:
    pins = pinned_requirements()
    assert f"numpy=={np.__version__}" in pins
    assert all("==" in pin for pin in pins)


def is_pickle(path: Path) -> bool:
    """Say whether a file can be read as a pickle to its end."""
    try:
        for opcode, _, _ in pickletools.genops(path.read_bytes()):
            last = opcode.name
    except (ValueError, KeyError, IndexError, UnicodeDecodeError):
        return False
    return last == "STOP"


def test_is_pickle_knows_a_pickle(tmp_path: Path) -> None:
    import pickle

    (tmp_path / "p").write_bytes(pickle.dumps({"a": 1}))
    (tmp_path / "j").write_bytes(b'{"a": 1}')
    assert is_pickle(tmp_path / "p")
    assert not is_pickle(tmp_path / "j")


def test_no_file_from_artifact_to_service_is_a_pickle(
    version: RegisteredVersion, folder: Path, bento_home: Path
) -> None:
    with MlflowRegistry().model_folder(version.version) as model:
        import_version(version, artifact_folder(model))
        files = [
            path
            for place in (folder, model, bento_home)
            for path in place.rglob("*")
            if path.is_file()
        ]
        assert len(files) > 40
        for path in files:
            assert path.suffix not in {".pkl", ".pickle", ".joblib", ".dill"}, path
            assert not is_pickle(path), path
            if path.suffix == ".npz":
                with np.load(path, allow_pickle=False) as arrays:
                    assert all(arrays[name].dtype != object for name in arrays.files)


def test_nothing_is_unpickled_from_artifact_to_decision(
    version: RegisteredVersion,
    bento_home: Path,
    applications: dict[str, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import bentoml
    import cloudpickle
    import joblib

    # Compiled code is kept by numba as pickles of its own, beside the package:
    # it is made on this machine and is no part of a model. It is loaded now.
    with MlflowRegistry().model_folder(version.version) as model:
        load_artifact(artifact_folder(model)).engine.decide(applications, explain=True)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was unpickled")

    for module in ("pickle", "_pickle", "cloudpickle"):
        monkeypatch.setattr(f"{module}.load", refuse)
        monkeypatch.setattr(f"{module}.loads", refuse)
    monkeypatch.setattr(joblib, "load", refuse)
    assert cloudpickle.load is refuse
    uri = f"models:/credit_scoring/{version.version}"
    loaded = mlflow.pyfunc.load_model(uri)
    answers = loaded.predict(pd.DataFrame(applications))
    with MlflowRegistry().model_folder(version.version) as model:
        tag = import_version(version, artifact_folder(model))
    stored = Path(bentoml.models.get(tag).path) / "artifact"
    decisions = load_artifact(stored).engine.decide(applications, explain=True)
    assert answers["pd"].to_numpy().tobytes() == decisions.pd_.tobytes()
