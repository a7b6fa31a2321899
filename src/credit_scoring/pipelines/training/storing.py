"""Storing the training rows of files that are larger than memory."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from credit_scoring.batch.repeated import find_repeated, hash_ids
from credit_scoring.boosting.external_memory import StoredRows, no_room
from credit_scoring.contract.model import Contract
from credit_scoring.contract.parsing import text_array
from credit_scoring.contract.reading import SOURCE_ROW, select_columns
from credit_scoring.contract.rows import check_rows
from credit_scoring.datasets.large_applications import digest_of, read_frames
from credit_scoring.errors import ContractError, TrainingError
from credit_scoring.pipelines.feature_engineering.nodes import (
    compute_features,
    places_in_splits,
)
from credit_scoring.pipelines.feature_engineering.parameters import (
    SPLITS,
    FeatureEngineeringParameters,
)

logger = logging.getLogger(__name__)

_TRAIN = SPLITS.index("train")
_SHOWN = 8
_REPEATED = "stands in several rows; none of them is kept"


@dataclass
class _Seen:
    """What became of the rows so far.

    Attributes:
        rows: All of them.
        rejected: Those that break the contract.
        set_aside: Those that the contract sets aside.
        reasons: Broken cells by column and reason.
        train: Hashes of the ids of the rows that were stored, by part.
        every: Hashes of the ids of all rows, by part.
    """

    rows: int = 0
    rejected: int = 0
    set_aside: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    train: list[Path] = field(default_factory=list)
    every: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class TrainingFiles:
    """How the training rows of files of any size are taken.

    A row is judged, split and given features as the pipelines do it with a file that
    fits into memory, but for ids that stand in several rows: of these none is kept,
    even where the rows are equal.

    Attributes:
        digest: Of the files that were ingested; these must be the same.
        contract: What the cells must be.
        feature_engineering: Names the features, and how rows are split.
        maximum_rejected_share: Largest share of rejected rows, 0 to 1.
    """

    digest: str
    contract: Contract
    feature_engineering: FeatureEngineeringParameters
    maximum_rejected_share: float

    def store(self, location: str, rows: StoredRows) -> None:
        """Take all training rows.

        Args:
            location: Path or URL of a file or folder; see `find_inputs`.
            rows: Takes them.

        Raises:
            BatchError: If the files cannot be read: which one, and where.
            ContractError: If columns are missing, too large a share of the rows is
                rejected (the counts by column and reason), or the files are not
                those that were ingested.
            TrainingError: If there is no training row, or the disk is full.
        """
        seen = _Seen()
        for frame in read_frames(location, title="training rows"):
            _store(frame, rows, self.contract, self.feature_engineering, seen)
        _leave_out_repeated(rows, seen, self.contract)
        _report(location, rows, seen)
        self._require_acceptance(location, seen)
        if not len(rows):
            raise TrainingError(
                f"{location}: none of {seen.rows} rows is a training row; expected some"
            )
        # Behind the reading, so that no change in between stays unseen.
        if digest_of(location) != self.digest:
            raise ContractError(
                f"{location}: is not what was ingested, or has changed since; run from "
                "the start, and name the same files for raw_applications and in "
                "boosting.external_memory.input"
            )

    def _require_acceptance(self, location: str, seen: _Seen) -> None:
        share = seen.rejected / max(seen.rows, 1)
        if share <= self.maximum_rejected_share:
            return
        shown = "; ".join(f"{w}: {n}" for w, n in seen.reasons.most_common(_SHOWN))
        raise ContractError(
            f"{location}: {seen.rejected} of {seen.rows} rows ({share:.2%}) break the "
            f"contract; at most {self.maximum_rejected_share:.2%} may. Rejected cells: "
            f"{shown}. Correct the data or the contract, or change "
            "validation.maximum_rejected_share"
        )


def _store(
    frame: pd.DataFrame,
    rows: StoredRows,
    contract: Contract,
    feature_engineering: FeatureEngineeringParameters,
    seen: _Seen,
) -> None:
    named, _ = select_columns(frame, contract, name="applications")
    checked = check_rows(named, contract)
    seen.rows += len(frame)
    seen.rejected += int(checked.rejected[SOURCE_ROW].nunique())
    seen.set_aside += len(checked.set_aside)
    cells = checked.rejected["column"] + " " + checked.rejected["reason"]
    seen.reasons.update(cells.tolist())
    accepted = checked.accepted
    places = places_in_splits(accepted, contract, feature_engineering.split)
    train = accepted[places == _TRAIN]
    features = compute_features(train, contract, feature_engineering)
    x = features[features.columns[1:]].to_numpy(np.float64)
    rows.add(x, train[contract.target_name].to_numpy(np.int8))
    given = named[contract.id_name].dropna()
    part = len(seen.every)
    for kind, ids, files in (
        ("train", train[contract.id_name], seen.train),
        ("every", given, seen.every),
    ):
        path = rows.folder / f"{kind}-ids-{part:06d}.npy"
        _save(path, hash_ids(text_array(ids)))
        files.append(path)


def _save(path: Path, hashes: NDArray[np.uint64]) -> None:
    try:
        np.save(path, hashes, allow_pickle=False)
    except OSError as error:
        raise no_room(path.parent.parent, error) from None


def _leave_out_repeated(rows: StoredRows, seen: _Seen, contract: Contract) -> None:
    """Leave out rows of ids that stand more than once, wherever that is."""
    try:
        repeated = find_repeated(seen.every, seen.rows, rows.folder)
    except OSError as error:
        raise no_room(rows.folder.parent, error) from None
    if not repeated.size:
        return
    left_out = 0
    for part, path in enumerate(seen.train):
        kept = ~np.isin(np.load(path), repeated)
        if not kept.all():
            rows.keep(part, kept)
            left_out += int((~kept).sum())
    if left_out:
        seen.rejected += left_out
        seen.reasons[f"{contract.id_name} {_REPEATED}"] += left_out


def _report(location: str, rows: StoredRows, seen: _Seen) -> None:
    logger.info(
        "%s: %d of %d rows are grown on; %d rejected, %d set aside",
        location,
        len(rows),
        seen.rows,
        seen.rejected,
        seen.set_aside,
    )
