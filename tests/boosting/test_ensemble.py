import json
import subprocess
import sys

import numpy as np
import pytest

from credit_scoring.boosting.ensemble import TreeEnsemble
from credit_scoring.errors import ArtifactError


def bits(values):
    return np.ascontiguousarray(values).view(np.uint64)


def test_one_row_has_the_margin_that_it_has_among_many(ensemble, sample):
    whole = ensemble.margin(sample.x)
    for row in range(0, 4_000, 61):
        alone = ensemble.margin(sample.x[row : row + 1])
        assert bits(alone) == bits(whole[row : row + 1])
    many = ensemble.margin(np.tile(sample.x, (5, 1))[3:])
    assert (bits(many[:100]) == bits(whole[3:103])).all()


def test_strided_and_read_only_rows_have_the_same_margin(ensemble, sample):
    whole = bits(ensemble.margin(sample.x))
    fixed = sample.x.copy()
    fixed.flags.writeable = False
    assert (bits(ensemble.margin(fixed)) == whole).all()
    assert (bits(ensemble.margin(np.asfortranarray(sample.x))) == whole).all()
    assert (bits(ensemble.margin(sample.x[::-1])) == whole[::-1]).all()


def test_no_rows_have_no_margins(ensemble, sample):
    assert ensemble.margin(sample.x[:0]).shape == (0,)


def test_a_matrix_of_another_width_is_refused(ensemble):
    with pytest.raises(ArtifactError, match=r"shape \(2, 5\); expected \(n, 6\)"):
        ensemble.margin(np.zeros((2, 5)))


def test_a_single_row_without_its_axis_is_refused(ensemble):
    with pytest.raises(ArtifactError, match=r"shape \(6,\); expected \(n, 6\)"):
        ensemble.margin(np.zeros(6))


def test_without_a_background_there_are_no_reasons(ensemble, sample):
    with pytest.raises(ArtifactError, match="no background yet"):
        ensemble.contributions(sample.x)


@pytest.mark.parametrize("with_background", [False, True])
def test_a_saved_model_answers_with_the_same_bits(
    ensemble, sample, tmp_path, with_background
):
    model = ensemble.with_background(sample.x[:80]) if with_background else ensemble
    model.save(tmp_path / "a model")
    again = TreeEnsemble.load(tmp_path / "a model")
    assert again.features == sample.names
    assert again.family == "boosting"
    assert again.booster == ensemble.booster
    assert (bits(again.margin(sample.x)) == bits(model.margin(sample.x))).all()
    if with_background:
        assert (
            bits(again.contributions(sample.x)) == bits(model.contributions(sample.x))
        ).all()
        assert again.tables.background_margin_mean == (
            model.tables.background_margin_mean
        )
        assert again.tables.n_background == 80
    else:
        assert again.tables is None


def test_the_same_model_is_saved_to_the_same_bytes(ensemble, sample, tmp_path):
    for name in ("one", "two"):
        ensemble.with_background(sample.x[:80]).save(tmp_path / name)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_loading_and_scoring_needs_no_training_library(ensemble, sample, tmp_path):
    ensemble.with_background(sample.x[:80]).save(tmp_path)
    # Not SciPy: numba itself looks at its version wherever it is installed.
    code = f"""
import sys
import numpy as np
from pathlib import Path
from credit_scoring.boosting.ensemble import TreeEnsemble
model = TreeEnsemble.load(Path({str(tmp_path)!r}))
model.contributions(np.zeros((1, 6)))
heavy = {{"xgboost", "pandas", "sklearn", "optuna"}}
print(sorted(heavy & set(sys.modules)), model.margin(np.zeros((1, 6)))[0].hex())
"""
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert printed.split() == ["[]", ensemble.margin(np.zeros((1, 6)))[0].hex()]


@pytest.fixture
def saved(ensemble, sample, tmp_path):
    ensemble.with_background(sample.x[:80]).save(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["trees.npz", "ensemble.json", "booster.ubj"])
def test_a_missing_file_is_named(saved, name):
    (saved / name).unlink()
    with pytest.raises(ArtifactError, match=f"{name} cannot be read"):
        TreeEnsemble.load(saved)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 1}', "\xff"])
def test_a_damaged_description_is_refused(saved, text):
    (saved / "ensemble.json").write_text(text, encoding="latin-1")
    with pytest.raises(ArtifactError, match=r"ensemble\.json (cannot be|is not)"):
        TreeEnsemble.load(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "is not format 1 of family boosting"),
        ({"family": "scorecard"}, "is not format 1 of family boosting"),
        ({"format": True}, "is not as expected"),
        ({"base_margin": "0"}, "is not as expected"),
        ({"base_margin": 1e300}, "is not as expected"),
        ({"features": ["a", 2, "c", "d", "e", "f"]}, "is not as expected"),
        ({"n_trees": 3}, "says 3 trees"),
        ({"depth": 2}, "of depth 2"),
        ({"more": 1}, "is not as expected"),
    ],
)
def test_an_altered_description_is_refused(saved, change, message):
    path = saved / "ensemble.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ArtifactError, match=message):
        TreeEnsemble.load(saved)


def test_tables_of_other_trees_are_refused(saved):
    np.savez(
        saved / "shapley.npz",
        table=np.zeros(3, dtype=np.float32),
        background_margin_mean=np.float64(0),
        n_background=np.int64(1),
    )
    with pytest.raises(ArtifactError, match="was not made for these trees"):
        TreeEnsemble.load(saved)


def test_tables_that_are_not_numbers_are_refused(saved):
    with np.load(saved / "shapley.npz", allow_pickle=False) as archive:
        arrays = dict(archive)
    arrays["table"][0] = np.nan
    np.savez(saved / "shapley.npz", **arrays)
    with pytest.raises(ArtifactError, match="not finite"):
        TreeEnsemble.load(saved)
