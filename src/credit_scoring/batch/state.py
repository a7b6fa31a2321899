"""What a job has done so far, on the disk: each thing whole, or not there."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from credit_scoring.digests import sha256_of_file
from credit_scoring.errors import BatchError

DECISIONS, REJECTED = "decisions", "rejected"
SUMMARY = "summary.json"
_JOB, _LOCK = "job.json", "lock"
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class DoneChunk(msgspec.Struct, frozen=True):
    """A chunk that is finished.

    Attributes:
        number: Of the chunk.
        file: Its file's place among the inputs.
        first_row: Number of its first row in the file, from 1.
        files: File, relative to where it belongs -> SHA-256.
        counts: What became of the rows.
        seconds: How long it took.
    """

    number: int
    file: int
    first_row: int
    files: dict[str, str]
    counts: dict[str, Any]
    seconds: float = 0.0


@dataclass(frozen=True)
class JobFolder:
    """Where a job works until it is finished; beside its output.

    Attributes:
        output: Where the result appears, whole, at the very end.
    """

    output: Path

    @property
    def work(self) -> Path:
        """Holds all that is unfinished."""
        return self.output.parent / f".{self.output.name}.unfinished"

    @property
    def result(self) -> Path:
        """Becomes the output."""
        return self.work / "output"

    @property
    def ids(self) -> Path:
        """Hashes of the loan ids by chunk."""
        return self.work / "ids"

    @property
    def _chunks(self) -> Path:
        return self.work / "chunks"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from doing the same job at the same time.

        Raises:
            BatchError: If one does, or the folder cannot be made.
        """
        try:
            for folder in (
                self.result / DECISIONS,
                self.result / REJECTED,
                self.ids,
                self._chunks,
            ):
                folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.work / _LOCK, os.O_RDWR | os.O_CREAT, 0o640)
        except OSError as error:
            raise BatchError(
                f"{self.output}: cannot be written: {error.strerror}"
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise BatchError(
                f"{self.output}: another process is writing it at this moment"
            ) from None
        finally:
            os.close(descriptor)

    def read_job(self) -> dict[str, Any] | None:
        """Read what the unfinished job is; None if there is none."""
        path = self.work / _JOB
        if not path.is_file():
            return None
        found: dict[str, Any] = json.loads(path.read_bytes())
        return found

    def write_job(self, job: dict[str, Any]) -> None:
        """Note what the job is."""
        write_whole(self.work / _JOB, json.dumps(job, indent=2).encode())

    def read_summary(self) -> dict[str, Any] | None:
        """Read what the output is of; None if there is none, or no summary."""
        path = self.output / SUMMARY
        if not path.is_file():
            return None
        found: dict[str, Any] = json.loads(path.read_bytes())
        return found

    def note_chunk(self, chunk: DoneChunk) -> None:
        """Note that a chunk is finished; its files are written."""
        path = self._chunks / f"{chunk.number:06d}.json"
        write_whole(path, msgspec.json.encode(chunk))

    def done_chunks(self, elsewhere: Path | None) -> list[DoneChunk]:
        """Read which chunks are finished, with files that are what they were.

        Args:
            elsewhere: Folder of the blocks for the decision log, if there is one.
        """
        found = []
        for path in sorted(self._chunks.glob("*.json")):
            try:
                chunk = msgspec.json.decode(path.read_bytes(), type=DoneChunk)
            except msgspec.DecodeError:
                continue
            if all(
                _is(self._place(name, elsewhere), digest)
                for name, digest in chunk.files.items()
            ):
                found.append(chunk)
        return found

    def finish(self) -> None:
        """Let the output appear, with one step of the filesystem."""
        for folder in (self.result / DECISIONS, self.result / REJECTED, self.result):
            _sync_folder(folder)
        os.rename(self.result, self.output)
        _sync_folder(self.output.parent)

    def clear(self) -> None:
        """Remove what the job needed while it worked."""
        shutil.rmtree(self.work, ignore_errors=True)

    def _place(self, name: str, elsewhere: Path | None) -> Path:
        kind, _, rest = name.partition(":")
        if kind == "log":
            return (elsewhere or self.work) / rest
        return (self.ids if kind == "ids" else self.result) / rest


def parquet_bytes(table: pa.Table) -> bytes:
    """Write a table as Parquet: the same bytes for the same table."""
    sink = pa.BufferOutputStream()
    unique = [name for name in ("decision_id", "loan_id") if name in table.schema.names]
    # What hardly ever repeats itself gains nothing from a dictionary.
    plain = {*unique, "pd", "margin"}
    leaves = [leaf for field in table.schema for leaf in _leaves(field)]
    pq.write_table(
        table,
        sink,
        # Identifiers that follow one another: zstd finds what they share, in less
        # time than an encoding of their differences takes.
        compression={leaf: "zstd" if leaf in unique else "snappy" for leaf in leaves},
        use_dictionary=[leaf for leaf in leaves if leaf not in plain],
        column_encoding=dict.fromkeys(unique, "PLAIN"),
        write_statistics=False,
        store_schema=True,
    )
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _leaves(field: pa.Field, path: str = "") -> Iterator[str]:
    """Name the columns that Parquet makes of a field, by their paths in it."""
    path += field.name
    if pa.types.is_list(field.type):
        inner = field.type.value_field.with_name("element")
        yield from _leaves(inner, f"{path}.list.")
    elif pa.types.is_struct(field.type):
        for own in field.type:
            yield from _leaves(own, f"{path}.")
    else:
        yield path


def write_whole(path: Path, content: bytes) -> str:
    """Write a file that is there whole or not at all.

    Returns:
        SHA-256 of the content.

    Raises:
        BatchError: If there is no room, or the disk fails.
    """
    fresh = path.with_name(f".{path.name}.new")
    try:
        with fresh.open("wb") as file:
            file.write(content)
        os.replace(fresh, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise BatchError(_disk_text(path, error)) from None
    return hashlib.sha256(content).hexdigest()


def _disk_text(path: Path, error: OSError) -> str:
    what = "there is no room left" if error.errno in _NO_ROOM else error.strerror
    return (
        f"{path.parent}: {what}. What is finished is kept: make room or mend the "
        "disk, and run the same command again"
    )


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256_of_file(path) == digest


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
