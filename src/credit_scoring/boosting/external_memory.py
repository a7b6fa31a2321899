"""Growing trees on rows that are larger than memory: they stay in files."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from credit_scoring.boosting.growers import HereGrower, Sample
from credit_scoring.errors import TrainingError

_PREFIX = "growing-"
_LOCK = "lock"
_ROWS = "rows-{:06d}.npy"
# XGBoost's files take 5 bytes a value at most, as measured.
_BIN_BYTES = 6


class StoredRows:
    """Rows to grow trees on, in files of a folder; see `stored_rows`.

    Features are float32, as XGBoost reads them in any case. On disk a row takes 4
    bytes a feature and one more.
    """

    def __init__(self, folder: Path) -> None:
        """Begin with no row.

        Args:
            folder: Takes the files; there must be none in it.
        """
        self.folder = folder
        self._sizes: list[int] = []

    def __len__(self) -> int:
        """Count the rows."""
        return sum(self._sizes)

    def add(self, x: NDArray[np.float64], bad: NDArray[np.int8]) -> None:
        """Write further rows.

        Args:
            x: Features, shape (n, n_features); NaN is missing.
            bad: 1 = bad, 0 = good, shape (n,).

        Raises:
            TrainingError: If the disk does not take them.
        """
        self._sizes.append(0)
        self._write(len(self._sizes) - 1, x.astype(np.float32), bad)

    def keep(self, part: int, kept: NDArray[np.bool_]) -> None:
        """Leave rows of a part out again.

        Args:
            part: Which call of `add` gave them, from 0.
            kept: Whether a row stays, shape (n,).

        Raises:
            TrainingError: If the disk does not take what stays.
        """
        x, bad = self._read(part)
        self._write(part, x[kept], bad[kept])

    def parts(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int8]]]:
        """Read features and outcomes again, part by part; empty parts are left out."""
        for part, size in enumerate(self._sizes):
            if size:
                yield self._read(part)

    def _write(self, part: int, x: NDArray[np.float32], bad: NDArray[np.int8]) -> None:
        try:
            with (self.folder / _ROWS.format(part)).open("wb") as file:
                np.save(file, x, allow_pickle=False)
                np.save(file, bad.astype(np.int8), allow_pickle=False)
        except OSError as error:
            raise no_room(self.folder.parent, error) from None
        self._sizes[part] = len(bad)

    def _read(self, part: int) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        with (self.folder / _ROWS.format(part)).open("rb") as file:
            return np.load(file), np.load(file)


@contextlib.contextmanager
def stored_rows(parent: Path) -> Iterator[StoredRows]:
    """Store rows for as long as the block lasts.

    What processes that were killed have left in the folder is deleted first.

    Args:
        parent: Takes a folder of this block's own; it is made if need be.

    Raises:
        TrainingError: If the folder cannot be made.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _delete_abandoned(parent)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o640)
    except OSError as error:
        raise no_room(parent, error) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield StoredRows(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _delete_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        # Without a lock yet it is being made.
        with contextlib.suppress(OSError), (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def no_room(folder: Path, error: OSError) -> TrainingError:
    """Say that a folder does not take the rows."""
    # NumPy's error has no number where the disk took a part.
    reason = error.strerror or "the disk took a part of them"
    return TrainingError(
        f"{folder}: rows cannot be stored: {reason}; make room there, or name another "
        "folder in boosting.external_memory.folder"
    )


class StoredGrower(HereGrower):
    """Grows trees on stored rows, through XGBoost's external memory.

    What it holds of a row is its gradient and its margin; bins are in files beside
    the rows. The trees are those of the same rows in memory.
    """

    def __init__(self, train: StoredRows, validation: Sample, **limits: int) -> None:
        """Put the rows into bins, which go into files.

        Args:
            train: To grow on.
            validation: To stop on, in the same bins; in memory.
            limits: ``max_bin`` and ``nthread``.

        Raises:
            TrainingError: If the disk has no room for the bins.
        """
        _require_room(train, validation[0].shape[1])
        self._train = xgboost.ExtMemQuantileDMatrix(_Parts(train), **limits)
        self._validation = xgboost.QuantileDMatrix(
            *validation, ref=self._train, **limits
        )


def _require_room(rows: StoredRows, n_features: int) -> None:
    # A disk that is full meanwhile ends XGBoost's process without a word.
    needed = _BIN_BYTES * len(rows) * n_features
    free = shutil.disk_usage(rows.folder).free
    if free < needed:
        raise TrainingError(
            f"{rows.folder.parent}: {free / 1e6:,.0f} MB are free; the bins of "
            f"{len(rows)} rows may take {needed / 1e6:,.0f} MB: make room there, or "
            "name another folder in boosting.external_memory.folder"
        )


class _Parts(xgboost.DataIter):
    """Gives XGBoost one part after another."""

    def __init__(self, rows: StoredRows) -> None:
        self._rows = rows
        self._left = rows.parts()
        super().__init__(cache_prefix=str(rows.folder / "bins"), release_data=True)

    def next(self, input_data: Any) -> bool:
        """Hand over the next part, if there is one."""
        part = next(self._left, None)
        if part is None:
            return False
        x, bad = part
        input_data(data=x, label=bad)
        return True

    def reset(self) -> None:
        """Begin again."""
        self._left = self._rows.parts()
