"""XGBoost in the place of compiled trees that do not agree with it."""

import json
import logging
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from credit_scoring.boosting import ensemble as ensemble_module
from credit_scoring.boosting.conversion import ensemble_from_booster
from credit_scoring.boosting.ensemble import TreeEnsemble
from credit_scoring.boosting.native import NativeEnsemble
from credit_scoring.errors import ArtifactError

IN_A_SERVICE = """
import sys
from pathlib import Path
import numpy as np
from credit_scoring.boosting.ensemble import TreeEnsemble
from credit_scoring.serving.start import quick_start
folder, rows = Path(sys.argv[1]), np.load(sys.argv[2])
with quick_start():
    assert "xgboost" not in sys.modules
    model = TreeEnsemble.load(folder)
    assert "xgboost" in sys.modules
    np.save(sys.argv[3], model.margin(rows))
    model.contributions(rows)
"""


@pytest.fixture
def walking_wrong(monkeypatch):
    """The compiled walker ends one unit in the last place too high in each row."""
    right = ensemble_module.walk_trees

    def wrong(*arguments):
        right(*arguments)
        margin = arguments[-1]
        margin[:] = np.nextafter(margin.astype(np.float32), np.float32(np.inf))

    monkeypatch.setattr(ensemble_module, "walk_trees", wrong)


@pytest.fixture
def native(walking_wrong, booster, sample):
    return ensemble_from_booster(booster, sample.names, [sample.x])


def test_a_walker_that_disagrees_is_replaced_with_a_warning(
    walking_wrong, booster, sample, caplog
):
    with caplog.at_level(logging.WARNING):
        model = ensemble_from_booster(booster, sample.names, [sample.x])
    assert isinstance(model, NativeEnsemble)
    assert "4000 of 4000 margins differ from XGBoost's" in caplog.text
    assert "XGBoost takes the place of the compiled trees" in caplog.text
    expected = booster.inplace_predict(sample.x, predict_type="margin")
    assert (model.margin(sample.x) == expected).all()
    walked = TreeEnsemble.margin(model, sample.x[:200])
    assert (walked != expected[:200]).all()


def test_a_row_has_the_bits_that_it_has_among_many(native, sample):
    whole = native.margin(sample.x)
    for row in range(0, 4_000, 401):
        assert native.margin(sample.x[row : row + 1]) == whole[row]
    assert native.margin(sample.x[:0]).shape == (0,)


def test_infinite_values_go_where_the_compiled_trees_send_them(ensemble, sample):
    x = sample.x[:200].copy()
    x[::3, 0] = np.inf
    x[1::3, 1] = -np.inf
    assert (NativeEnsemble.of(ensemble).margin(x) == ensemble.margin(x)).all()


def test_reasons_are_those_of_the_compiled_model(native, ensemble, sample):
    background = sample.x[:300]
    found = native.with_background(background).contributions(sample.x)
    expected = ensemble.with_background(background).contributions(sample.x)
    assert (found == expected).all()


def test_reasons_that_do_not_add_up_are_refused(ensemble, sample):
    model = NativeEnsemble.of(ensemble.with_background(sample.x[:300]))
    wrong = replace(model.tables, table=model.tables.table * np.float32(1.01))
    with pytest.raises(ArtifactError, match=r"of 4000 rows do not add up to XGBoost"):
        replace(model, tables=wrong).contributions(sample.x)


def test_a_model_without_a_background_has_no_reasons(native, sample):
    with pytest.raises(ArtifactError, match="no background yet"):
        native.contributions(sample.x)


def test_a_saved_model_says_who_computes_its_margins(native, sample, tmp_path):
    native.save(tmp_path)
    described = json.loads((tmp_path / "ensemble.json").read_text())
    assert described["margins"] == "xgboost"
    loaded = TreeEnsemble.load(tmp_path)
    assert isinstance(loaded, NativeEnsemble)
    assert (loaded.margin(sample.x) == native.margin(sample.x)).all()


def test_it_loads_while_a_service_starts(native, sample, tmp_path):
    folder, rows, out = (tmp_path / name for name in ("model", "rows.npy", "out.npy"))
    native.with_background(sample.x[:50]).save(folder)
    np.save(rows, sample.x[:20])
    command = [sys.executable, "-c", IN_A_SERVICE, str(folder), str(rows), str(out)]
    subprocess.run(command, check=True, timeout=120)
    assert (np.load(out) == native.margin(sample.x[:20])).all()


def test_without_xgboost_the_remedy_is_named(ensemble, monkeypatch):
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(ArtifactError, match="install the extra 'fallback'"):
        NativeEnsemble.of(ensemble)


def test_a_file_that_is_no_booster_is_named(ensemble):
    with pytest.raises(ArtifactError, match=r"booster\.ubj is not an XGBoost model"):
        NativeEnsemble.of(replace(ensemble, booster=b"{}"))


def test_a_booster_of_other_features_is_refused(ensemble, sample, grow_trees):
    narrow = replace(sample, x=sample.x[:, :3])
    other = bytes(grow_trees(narrow, n_trees=2).save_raw("ubj"))
    with pytest.raises(ArtifactError, match="has 3 features; expected 6"):
        NativeEnsemble.of(replace(ensemble, booster=other))
