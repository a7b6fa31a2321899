"""Finding what is to be scored: a file, a folder, a partitioned set, here or in S3."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from credit_scoring.batch.csv_chunks import csv_schema
from credit_scoring.errors import BatchError

Kind = Literal["parquet", "csv"]

_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".csv.gz")
_HEAD_BYTES = 1 << 16
_SHOWN = 5


@dataclass(frozen=True)
class InputFile:
    """One file of applications, of which only the head was read.

    Attributes:
        filesystem: Arrow's.
        path: On that filesystem.
        name: Below what was asked for.
        kind: Form of the file.
        schema: Its columns; all text in a CSV file.
        rows: Count of its rows; None where only reading all of it tells.
        mark: Changes when the file does.
        content: Digest of what it is made of, the same for a copy of a Parquet file.
        fixed: Columns that the path says for all rows, as ``region=north/``.
        row_groups: Rows of each row group of a Parquet file.
    """

    filesystem: Any
    path: str
    name: str
    kind: Kind
    schema: pa.Schema
    rows: int | None
    mark: str
    content: str
    fixed: Mapping[str, str] = field(default_factory=dict)
    row_groups: tuple[int, ...] = ()


def find_inputs(location: str) -> list[InputFile]:
    """Find the files of an input, in the order of their names.

    Args:
        location: Path or URL (``s3://...``) of a Parquet or CSV file (``.csv``,
            ``.csv.gz``) or of a folder of them. Names that begin with ``.`` or
            ``_`` are passed over, as the writers of such sets mean it.

    Raises:
        BatchError: If there is none, one is of another form, or cannot be read.
    """
    filesystem, base = _filesystem_of(location)
    try:
        found = _listed(filesystem, base, location)
    except OSError as error:
        raise BatchError(f"{location}: cannot be read: {_said(error)}") from None
    if not found:
        raise BatchError(f"{location}: there is no Parquet or CSV file in it")
    files = [(info, _kind(info.path), _relative(info.path, base)) for info in found]
    strange = [name for _, kind, name in files if kind is None]
    if strange:
        raise BatchError(
            f"{location}: {len(strange)} file(s) are neither Parquet nor CSV: "
            f"{', '.join(strange[:_SHOWN])}; expected names that end in "
            f"{', '.join((*_PARQUET, *_CSV))}"
        )
    return [_opened(filesystem, info, kind, name) for info, kind, name in files if kind]


def is_there(location: str) -> bool:
    """Say whether there is a file or folder, whatever is in it.

    Args:
        location: As `find_inputs` takes it.

    Returns:
        True also where nobody can tell, as a store does not answer: to read it says
        why.
    """
    try:
        filesystem, base = _filesystem_of(location)
        found: bool = filesystem.get_file_info(base).type != pafs.FileType.NotFound
    except (BatchError, OSError):
        return True
    return found


def _filesystem_of(location: str) -> tuple[Any, str]:
    scheme, separator, _ = location.partition("://")
    if not separator:
        return pafs.LocalFileSystem(), str(Path(location).absolute())
    try:
        endpoint = os.environ.get("AWS_ENDPOINT_URL")
        if scheme == "s3" and endpoint and "?" not in location:
            kind, _, host = endpoint.partition("://")
            location += f"?scheme={kind}&endpoint_override={host.rstrip('/')}"
        filesystem, path = pafs.FileSystem.from_uri(location)
    except (pa.ArrowInvalid, OSError) as error:
        raise BatchError(
            f"{scheme}://...: no such filesystem: {_said(error)}"
        ) from None
    return filesystem, str(path)


def _listed(filesystem: Any, base: str, location: str) -> list[Any]:
    info = filesystem.get_file_info(base)
    if info.type == pafs.FileType.File:
        return [info]
    if info.type == pafs.FileType.NotFound:
        raise BatchError(f"{location}: there is no such file or folder")
    selector = pafs.FileSelector(base, recursive=True)
    found = [
        one
        for one in filesystem.get_file_info(selector)
        if one.type == pafs.FileType.File
        and not any(
            part.startswith((".", "_"))
            for part in PurePosixPath(_relative(one.path, base)).parts
        )
    ]
    return sorted(found, key=lambda one: one.path)


def _relative(path: str, base: str) -> str:
    below = path.removeprefix(base).lstrip("/")
    return below or PurePosixPath(path).name


def _kind(path: str) -> Kind | None:
    lower = path.lower()
    if lower.endswith(_PARQUET):
        return "parquet"
    return "csv" if lower.endswith(_CSV) else None


def _opened(filesystem: Any, info: Any, kind: Kind, name: str) -> InputFile:
    mark = f"{info.size}-{info.mtime_ns}"
    fixed = _partition(name)
    if kind == "csv":
        schema, head = csv_schema(filesystem, info.path, name)
        content = _digest(head, info.size, mark)
        return InputFile(
            filesystem, info.path, name, kind, schema, None, mark, content, fixed
        )
    try:
        with filesystem.open_input_file(info.path) as file:
            metadata = pq.read_metadata(file)
            file.seek(max(0, info.size - _HEAD_BYTES))
            tail = file.read(_HEAD_BYTES)
        schema = metadata.schema.to_arrow_schema()
    except (pa.ArrowException, OSError) as error:
        raise BatchError(
            f"{name}: no Parquet file, or one that is cut off or corrupt: "
            f"{_said(error)}"
        ) from None
    return InputFile(
        filesystem,
        info.path,
        name,
        kind,
        schema,
        metadata.num_rows,
        mark,
        # The end of a Parquet file has sizes, places and statistics of all of it.
        _digest(tail, info.size, ""),
        fixed,
        tuple(metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)),
    )


def _digest(part: bytes, size: int, mark: str) -> str:
    return hashlib.sha256(b"%d %b %b" % (size, mark.encode(), part)).hexdigest()


def _partition(name: str) -> dict[str, str]:
    found = {}
    for part in PurePosixPath(name).parts[:-1]:
        key, separator, value = part.partition("=")
        if separator:
            text = unquote(value)
            found[key] = "" if text == "__HIVE_DEFAULT_PARTITION__" else text
    return found


def _said(error: Exception) -> str:
    """Say what a library said, on one short line."""
    reason = getattr(error, "strerror", None) or str(error)
    return " ".join(reason.split())[:200]
