import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from credit_scoring.boosting import conversion
from credit_scoring.boosting.external_memory import (
    StoredGrower,
    StoredRows,
    stored_rows,
)
from credit_scoring.boosting.fitting import fit_boosting
from credit_scoring.boosting.growers import HereGrower
from credit_scoring.boosting.parameters import BoostingParameters
from credit_scoring.errors import TrainingError

from .test_fitting import DIRECTIONS, PARAMETERS

SETTINGS: dict[str, Any] = {
    "objective": "binary:logistic",
    "eval_metric": "logloss",
    "tree_method": "hist",
    "seed": 1,
    "max_depth": 4,
    "learning_rate": 0.1,
    "subsample": 0.8,
    "colsample_bytree": 0.5,
    "max_bin": 64,
    "nthread": 1,
}
LIMITS = {"max_bin": 64, "nthread": 1}


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[StoredRows]:
    with stored_rows(tmp_path / "rows") as found:
        yield found


def store(rows: StoredRows, x: Any, bad: Any, *ends: int) -> None:
    """Store rows in parts that end there."""
    for part in zip(np.split(x, ends), np.split(bad, ends), strict=True):
        rows.add(*part)


def test_rows_are_read_as_they_were_stored(rows: StoredRows, sample: Any) -> None:
    store(rows, sample.x, sample.bad, 0, 10, 3_000)
    assert len(rows) == 4_000
    parts = list(rows.parts())
    assert [len(bad) for _, bad in parts] == [10, 2_990, 1_000]
    np.testing.assert_array_equal(
        np.concatenate([x for x, _ in parts]), sample.x.astype(np.float32)
    )
    np.testing.assert_array_equal(np.concatenate([b for _, b in parts]), sample.bad)


def test_rows_may_be_left_out_again(rows: StoredRows, sample: Any) -> None:
    store(rows, sample.x, sample.bad, 10)
    rows.keep(0, np.arange(10) % 2 == 0)
    assert len(rows) == 3_995
    x, bad = next(rows.parts())
    np.testing.assert_array_equal(x, sample.x[:10:2].astype(np.float32))
    np.testing.assert_array_equal(bad, sample.bad[:10:2])


@pytest.mark.parametrize("ends", [(), (1_000,), (1, 2_500, 7_000)])
def test_the_trees_are_those_of_the_same_rows_in_memory(
    rows: StoredRows, shipped_rows: Any, ends: tuple[int, ...]
) -> None:
    x, bad = shipped_rows.x, shipped_rows.bad
    train, validation = (x[:20_000], bad[:20_000]), (x[20_000:], bad[20_000:])
    store(rows, *train, *ends)
    grown = [
        grower.grow(SETTINGS, rounds=40, stop=10)
        for grower in (
            HereGrower(train, validation, **LIMITS),
            StoredGrower(rows, validation, **LIMITS),
        )
    ]
    here, there = (bytes(booster.save_raw("json")) for booster in grown)
    assert here == there
    assert grown[0].best_score == grown[1].best_score


def fit(sample: Any, **changes: Any) -> Any:
    x, bad = sample.x, sample.bad
    return fit_boosting(
        *(x[:1_000], bad[:1_000], x[3_000:], bad[3_000:]),
        feature_names=sample.names,
        directions=DIRECTIONS,
        **{"parameters": PARAMETERS, **changes},
    )


def test_the_model_is_of_all_stored_rows(rows: StoredRows, sample: Any) -> None:
    """The search sees 1,000 rows, the model's trees the 3,000 that they are of."""
    store(rows, sample.x[:3_000], sample.bad[:3_000], 1_500)
    searched, fitted = fit(sample), fit(sample, stored=rows)
    assert fitted.trials.equals(searched.trials)
    assert searched.chosen["training_rows"] == 1_000
    assert fitted.chosen["training_rows"] == 3_000
    # As a search that is given this one point and all rows.
    point = {name: fitted.chosen[name] for name in PARAMETERS.starting_point.__dict__}
    alone = PARAMETERS.model_dump() | {
        "n_trials": 1,
        "starting_point": point,
        "search_space": {name: {"low": v, "high": v} for name, v in point.items()},
    }
    x, bad = sample.x, sample.bad
    whole = fit_boosting(
        *(x[:3_000], bad[:3_000], x[3_000:], bad[3_000:]),
        feature_names=sample.names,
        directions=DIRECTIONS,
        parameters=BoostingParameters.model_validate(alone),
    )
    assert fitted.model.booster == whole.model.booster
    assert fitted.chosen == whole.chosen
    assert fitted.model.booster != searched.model.booster


def test_compiled_trees_are_proved_on_stored_rows_too(
    rows: StoredRows, sample: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(rows, sample.x[:3_000], sample.bad[:3_000], 1_500)
    proved = []
    check = conversion._check_equal

    def noted(booster: Any, ensemble: Any, x: Any) -> None:
        proved.append(x)
        check(booster, ensemble, x)

    monkeypatch.setattr(conversion, "_check_equal", noted)
    fit(sample, stored=rows)
    assert [len(x) for x in proved] == [2_000, 1_500, 1_500]
    # XGBoost reads float32, and so do the trees.
    stored = sample.x[:3_000].astype(np.float32)
    np.testing.assert_array_equal(np.concatenate(proved[1:]), stored)


def test_nothing_is_left_behind(tmp_path: Path, sample: Any) -> None:
    with stored_rows(tmp_path) as rows:
        store(rows, sample.x, sample.bad)
        grower = StoredGrower(rows, (sample.x, sample.bad), **LIMITS)
        # The lock, the rows, and their bins.
        assert len(list(rows.folder.iterdir())) > 2
        del grower
    assert not list(tmp_path.iterdir())


STORING = """
import sys, time
from pathlib import Path
import numpy as np
from credit_scoring.boosting.external_memory import stored_rows

with stored_rows(Path(sys.argv[1])) as rows:
    rows.add(np.zeros((10, 3)), np.zeros(10, np.int8))
    print(rows.folder, flush=True)
    time.sleep(600)
"""


def test_what_a_killed_process_left_is_deleted(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STORING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        theirs = Path(process.stdout.readline().strip())
        with stored_rows(tmp_path) as rows:
            assert sorted(tmp_path.iterdir()) == sorted([theirs, rows.folder])
        process.kill()
    assert len(list(theirs.iterdir())) == 2
    with stored_rows(tmp_path) as rows:
        assert list(tmp_path.iterdir()) == [rows.folder]


def test_a_full_disk_is_said(small_disk: Path, shipped_rows: Any) -> None:
    with (
        stored_rows(small_disk) as rows,
        pytest.raises(TrainingError, match=r"rows cannot be stored: .*; make room"),
    ):
        store(rows, shipped_rows.x, shipped_rows.bad)


def test_a_disk_without_room_for_the_bins_is_said(
    small_disk: Path, shipped_rows: Any
) -> None:
    x, bad = shipped_rows.x, shipped_rows.bad
    with stored_rows(small_disk) as rows:
        store(rows, x[:16_000], bad[:16_000], 8_000)
        with pytest.raises(TrainingError, match="MB are free; the bins of 16000 rows"):
            StoredGrower(rows, (x, bad), **LIMITS)


def test_it_is_either_a_cluster_or_external_memory() -> None:
    both = {"cluster": {}, "external_memory": {"input": "x", "folder": "y"}}
    with pytest.raises(ValueError, match="cluster or external_memory, not both"):
        BoostingParameters.model_validate(PARAMETERS.model_dump() | both)
