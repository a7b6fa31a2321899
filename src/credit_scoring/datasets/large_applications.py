"""Files of raw applications that are larger than memory, in the catalog."""

import hashlib
from collections.abc import Iterator
from typing import Any, Never

import numpy as np
import pandas as pd
import pyarrow as pa
from kedro.io import AbstractDataset, DatasetError
from numpy.typing import NDArray

from credit_scoring.batch.chunks import Chunk, read_chunks
from credit_scoring.batch.inputs import InputFile, find_inputs, is_there
from credit_scoring.contract.reading import ROWS_IN_FILES, SHA256, SOURCE_ROW
from credit_scoring.datasets.progress import row_progress
from credit_scoring.digests import salted_shares
from credit_scoring.errors import ContractError

CHUNK_ROWS = 131_072
_READ_BYTES = 1 << 20


def read_frames(location: str, *, title: str) -> Iterator[pd.DataFrame]:
    """Read applications part by part, as text.

    Args:
        location: Path or URL of a Parquet or CSV file or of a folder of them; see
            `find_inputs`. Numbers and dates are given as text, dates as ISO 8601.
        title: Of the progress that is shown.

    Yields:
        Up to `CHUNK_ROWS` rows, every cell a string and an empty one missing, under
        the file's names. The index ``source_row`` numbers the rows of all files
        together, from 1.

    Raises:
        BatchError: If the files cannot be found or read: which one, and where.
        ContractError: If a row has another number of cells than the header, or the
            files' columns differ.
    """
    files = find_inputs(location)
    columns = _columns_of(files, location)
    counts = [file.rows for file in files]
    total = None if None in counts else sum(rows or 0 for rows in counts)
    wanted = [[name for name in columns if name not in file.fixed] for file in files]
    before = 0
    with row_progress(title, total) as advance:
        for chunk in read_chunks(files, wanted, chunk_rows=CHUNK_ROWS):
            frame = _frame(chunk, files[chunk.file], columns)
            frame.index = pd.RangeIndex(
                before + 1, before + 1 + len(frame), name=SOURCE_ROW
            )
            before += len(frame)
            yield frame
            advance(len(frame))


def _columns_of(files: list[InputFile], location: str) -> list[str]:
    first, *others = ([*file.schema.names, *file.fixed] for file in files)
    twice = sorted({name for name in first if first.count(name) > 1})
    if twice:
        raise ContractError(
            f"{location}: {files[0].name} names {len(twice)} column(s) more than once: "
            f"{', '.join(twice)}"
        )
    for file, names in zip(files[1:], others, strict=True):
        apart = sorted(set(names) ^ set(first))
        if apart:
            raise ContractError(
                f"{location}: {files[0].name} and {file.name} differ in "
                f"{len(apart)} column(s): {', '.join(apart)}; expected the same"
            )
    return first


def _frame(chunk: Chunk, file: InputFile, columns: list[str]) -> pd.DataFrame:
    if chunk.odd:
        row, why = min(chunk.odd.items())
        more = f"; so do {len(chunk.odd) - 1} more rows" if len(chunk.odd) > 1 else ""
        raise ContractError(f"{file.name}: row {row} {why}{more}. Mend the file")
    rows = chunk.batch.num_rows
    cells = {
        name: (
            pa.repeat(pa.scalar(file.fixed[name] or None, pa.large_string()), rows)
            if name in file.fixed
            else _texts(chunk.batch.column(name), name, file)
        )
        for name in columns
    }
    frame: pd.DataFrame = pa.table(cells).to_pandas()
    return frame


def _texts(cells: pa.Array, name: str, file: InputFile) -> pa.Array:
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if pa.types.is_timestamp(cells.type):
        cells = cells.cast(pa.date32(), safe=False)
    try:
        return cells.cast(pa.large_string())
    except pa.ArrowException:
        raise ContractError(
            f"{file.name}: column {name} is of type {cells.type!s:.40}; expected text, "
            "numbers or dates"
        ) from None


class SampledApplicationsDataset(AbstractDataset[Never, pd.DataFrame]):
    """As many applications of large files as memory shall hold; read only.

    Those with the smallest salted hashes of their ids are taken, in the files' order:
    a uniform sample that is the same on every machine. Of applications that are added
    later some take the places of others, and all rows of one id are taken or none. The
    whole is read part by part, and gives its digest.
    """

    def __init__(
        self,
        *,
        filepath: str,
        id_column: str,
        rows: int,
        salt: str,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Point at files; nothing is opened.

        Args:
            filepath: Path or URL of a file or folder; see `find_inputs`.
            id_column: Of the loan ids, as the files name it.
            rows: Most rows to take; about so many are taken of a larger file.
            salt: Names the sample. It must not be that of the split.
            metadata: For Kedro-Viz and other plugins.

        Raises:
            DatasetError: If less than one row is asked for.
        """
        if rows < 1:
            raise DatasetError(f"{filepath}: {rows} rows asked for; expected 1 or more")
        self._location = filepath
        self._id_column, self._rows, self._salt = id_column, rows, salt
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Read all files, and give the sample.

        Returns:
            As `ApplicationsFileDataset` gives a file; ``attrs["sha256"]`` is that of
            the file or, of several, that of their names and digests, and
            ``attrs["rows_in_files"]`` counts all rows.

        Raises:
            BatchError: If the files cannot be found or read: which one, and where.
            ContractError: If they are no table, or have no such id column.
        """
        sample = _Sample(self._rows)
        for frame in read_frames(self._location, title="sample"):
            if self._id_column not in frame:
                raise ContractError(
                    f"{self._location}: there is no column {self._id_column}; expected "
                    "the one of the loan ids, which id_column of the catalog names"
                )
            ids = frame[self._id_column].fillna("")
            sample.add(frame, salted_shares(ids, self._salt))
        taken = sample.taken()
        if taken.empty:
            raise ContractError(f"{self._location}: there are no rows")
        taken.attrs[ROWS_IN_FILES] = sample.seen
        taken.attrs[SHA256] = digest_of(self._location)
        return taken

    def save(self, data: Never) -> None:
        """Refuse: raw data is never written.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{self._location}: raw applications are read only")

    def _exists(self) -> bool:
        return is_there(self._location)

    def _describe(self) -> dict[str, Any]:
        return {
            "filepath": self._location,
            "id_column": self._id_column,
            "rows": self._rows,
            "salt": self._salt,
        }


class _Sample:
    """The rows with the smallest places that were seen, and a few more."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._below = 1.0
        self._frames: list[pd.DataFrame] = []
        self._places: list[NDArray[np.float64]] = []
        self._held = 0
        self.seen = 0

    def add(self, frame: pd.DataFrame, places: NDArray[np.float64]) -> None:
        """Look at further rows, each with its place in [0, 1)."""
        self.seen += len(places)
        near = places < self._below
        self._frames.append(frame[near])
        self._places.append(places[near])
        self._held += int(near.sum())
        if self._held > 2 * self._rows:
            self._cut()

    def taken(self) -> pd.DataFrame:
        """Give the rows, in the order in which they came."""
        self._cut()
        return pd.concat(self._frames) if self._frames else pd.DataFrame()

    def _cut(self) -> None:
        if self._held <= self._rows:
            return
        frame, places = pd.concat(self._frames), np.concatenate(self._places)
        # Rows of one id have one place, so they go or stay together.
        self._below = float(np.partition(places, self._rows)[self._rows])
        near = places < self._below
        self._frames, self._places = [frame[near]], [places[near]]
        self._held = int(near.sum())


def digest_of(location: str) -> str:
    """Digest one file's bytes; of several, their names and digests.

    Args:
        location: See `find_inputs`.

    Raises:
        BatchError: If there is no file.
        ContractError: If one cannot be read.
    """
    files = find_inputs(location)
    if len(files) == 1:
        return _sha256(files[0])
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{_sha256(file)}  {file.name}\n".encode())
    return whole.hexdigest()


def _sha256(file: InputFile) -> str:
    digest = hashlib.sha256()
    try:
        with file.filesystem.open_input_stream(file.path, compression=None) as stream:
            while part := stream.read(_READ_BYTES):
                digest.update(part)
    except OSError as error:
        raise ContractError(
            f"{file.name}: cannot be read: {error.strerror or type(error).__name__}"
        ) from error
    return digest.hexdigest()
