import json

import numpy as np
import pytest
from kedro.io import DatasetError

from credit_scoring.datasets.models import ModelFolderDataset
from credit_scoring.scorecard.model import Bin, Scorecard, ScorecardTable, Term

X = np.array([[0.0], [2.0], [np.nan]])


@pytest.fixture
def scorecard():
    return make_scorecard(1.0)


def make_scorecard(edge):
    term = Term(
        feature="months_late",
        direction=1,
        information_value=0.5,
        coefficient=-1.0,
        bins=(
            Bin(below=edge, goods=9, bads=1, woe=1.0),
            Bin(at_least=edge, goods=1, bads=9, woe=-1.0),
        ),
        missing=Bin(goods=0, bads=0, woe=0.0),
    )
    return Scorecard(
        ScorecardTable(features=("months_late",), intercept=-1, terms=(term,))
    )


@pytest.fixture
def dataset(tmp_path):
    return ModelFolderDataset(filepath=str(tmp_path / "06 models" / "model"))


def test_a_model_loads_as_it_was_saved(dataset, scorecard):
    assert not dataset.exists()
    dataset.save(scorecard)
    assert dataset.exists()
    loaded = dataset.load()
    assert type(loaded) is Scorecard
    assert loaded.margin(X).tobytes() == scorecard.margin(X).tobytes()


def test_the_folder_holds_plain_files_that_name_the_family(
    dataset, scorecard, tmp_path
):
    dataset.save(scorecard)
    folder = tmp_path / "06 models" / "model"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["family.json", "scorecard.json"]
    assert json.loads((folder / "family.json").read_text()) == {"family": "scorecard"}


def test_a_second_save_leaves_nothing_of_the_first(dataset, scorecard, tmp_path):
    dataset.save(scorecard)
    stray = tmp_path / "06 models" / "model" / "trees.npz"
    stray.touch()
    other = make_scorecard(3.0)
    dataset.save(other)
    assert not stray.exists()
    assert dataset.load().margin(X).tobytes() == other.margin(X).tobytes()
    assert [path.name for path in (tmp_path / "06 models").iterdir()] == ["model"]


def test_a_save_that_fails_leaves_the_old_model(dataset, scorecard):
    class Broken(Scorecard):
        def save(self, folder):
            raise OSError("disk full")

    dataset.save(scorecard)
    with pytest.raises(DatasetError, match="disk full"):
        dataset.save(Broken(scorecard.table))
    assert dataset.load().margin(X).tobytes() == scorecard.margin(X).tobytes()


def test_a_folder_without_a_model_is_refused(dataset):
    with pytest.raises(DatasetError, match=r"family\.json cannot be read: No such"):
        dataset.load()


@pytest.mark.parametrize("text", ['{"family": "forest"}', "{}", "[]", "x", "1"])
def test_an_unknown_family_is_refused(dataset, scorecard, tmp_path, text):
    dataset.save(scorecard)
    (tmp_path / "06 models" / "model" / "family.json").write_text(text)
    with pytest.raises(DatasetError, match="expected boosting or scorecard"):
        dataset.load()


def test_the_preview_says_what_the_model_reads(dataset, scorecard):
    dataset.save(scorecard)
    assert json.loads(dataset.preview()) == {
        "family": "scorecard",
        "files": ["family.json", "scorecard.json"],
        "features": ["months_late"],
    }


def test_the_dataset_describes_itself_and_keeps_its_metadata(tmp_path):
    metadata = {"kedro-viz": {"layer": "06_models"}}
    dataset = ModelFolderDataset(filepath=str(tmp_path), metadata=metadata)
    assert dataset.metadata == metadata
    assert str(tmp_path) in repr(dataset)
