"""Running a job: chunk by chunk on all cores, and from where it was killed on."""

import json
import logging
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from credit_scoring.batch.chunks import Chunk, read_chunks
from credit_scoring.batch.contents import ChunkContents, chunk_contents
from credit_scoring.batch.identifiers import job_id
from credit_scoring.batch.inputs import InputFile, find_inputs
from credit_scoring.batch.log_blocks import BatchLog
from credit_scoring.batch.models import BatchModels
from credit_scoring.batch.repeated import count_repeated
from credit_scoring.batch.scoring import Asked, Reasons
from credit_scoring.batch.state import (
    SUMMARY,
    DoneChunk,
    JobFolder,
    write_whole,
)
from credit_scoring.batch.summary import summarise
from credit_scoring.contract.tables import TableCheck
from credit_scoring.errors import BatchError, ContractError

logger = logging.getLogger(__name__)

Progress = Callable[[int], None]

CHUNK_ROWS = 32_768
# Chunks that are read, or decided on, or written at a time, by core.
_AT_A_TIME = 2


@dataclass(frozen=True)
class BatchRequest:
    """What is to be scored, and how.

    Attributes:
        source: Path or URL of a file or folder; see `find_inputs`.
        output: Folder that appears when all is done.
        reasons: See `Asked`.
        scored_at: Time of all decisions; None is the time when the job began.
        log_folder: Decision log that takes the decisions; None for none.
        chunk_rows: Rows of a chunk, at least 1 and below 2**28.
        threads: How many decide at a time; None for one each core.
    """

    source: str
    output: Path
    reasons: Reasons = "given"
    scored_at: datetime | None = None
    log_folder: Path | None = None
    chunk_rows: int = CHUNK_ROWS
    threads: int | None = None


@dataclass(frozen=True)
class Prepared:
    """A request whose files are found and fit the contract.

    Attributes:
        request: What was asked for.
        models: Who decides.
        files: What is to be read.
        checks: Of the columns of each file.
        identity: All that the decisions depend on, but their time.
    """

    request: BatchRequest
    models: BatchModels
    files: tuple[InputFile, ...]
    checks: tuple[TableCheck, ...]
    identity: dict[str, Any]

    @property
    def rows(self) -> int | None:
        """Count of all rows, if the files tell it without being read."""
        counts = [file.rows for file in self.files]
        return None if None in counts else sum(n or 0 for n in counts)


def prepare(request: BatchRequest, models: BatchModels) -> Prepared:
    """Find the files, and see that each has the contract's columns.

    Raises:
        BatchError: If there is no file, one cannot be read, lacks a column or has
            one of another type, or nothing has any row. Nothing was written.
    """
    files = tuple(find_inputs(request.source))
    checks = []
    for file in files:
        try:
            check = TableCheck(
                models.contract, file.schema, name=file.name, fixed=file.fixed
            )
        except ContractError as error:
            raise BatchError(str(error)) from None
        if not check.has_history:
            raise BatchError(
                f"{file.name}: has no column of the history; a file brings it along"
            )
        checks.append(check)
    if all(file.rows == 0 for file in files):
        raise BatchError(f"{request.source}: there is no row in it")
    identity = {
        "inputs": [[file.name, file.content] for file in files],
        "contract_digest": models.contract.digest,
        "models": [
            [m.role, m.version, m.digest, m.engine.engine.policy_version]
            for m in models.all
        ],
        "split": None if models.split is None else models.split.model_dump(),
        "reasons": request.reasons,
        "chunk_rows": request.chunk_rows,
        "logged": request.log_folder is not None,
        "asked_time": None if request.scored_at is None else str(request.scored_at),
    }
    return Prepared(request, models, files, tuple(checks), identity)


# Decides on the chunks that are not done on other processes or machines.
Elsewhere = Callable[[Prepared, Asked, frozenset[int]], Generator[ChunkContents]]


def run_batch(
    prepared: Prepared,
    progress: Progress = lambda rows: None,
    elsewhere: Elsewhere | None = None,
) -> dict[str, Any]:
    """Score all rows; the output appears whole, at the very end.

    Killed at any moment and asked for again, it goes on behind what is finished,
    and the output has the bytes that it would have had.

    Args:
        prepared: From `prepare`.
        progress: Told the number of further rows after each chunk.
        elsewhere: Decides in place of this process's threads; the bytes are the
            same, and either goes on with what the other began.

    Returns:
        The summary, as it is in the output.

    Raises:
        BatchError: If the output is another job's, an input changed or cannot be
            read to its end, or there is no room. What is finished is kept.
        DecisionLogError: If the decision log cannot be written.
    """
    folder = JobFolder(prepared.request.output)
    if folder.output.exists():
        return _finished(folder, prepared)
    with folder.locked():
        job = _begun(folder, prepared)
        return _Run(prepared, folder, job, progress, elsewhere).run()


def _finished(folder: JobFolder, prepared: Prepared) -> dict[str, Any]:
    summary = folder.read_summary()
    if summary is None or summary["identity"] != prepared.identity:
        raise BatchError(
            f"{folder.output}: is there already and is of something else; name "
            "another output, or remove it"
        )
    logger.info("%s is finished already; nothing is done again", folder.output)
    folder.clear()
    return summary


def _begun(folder: JobFolder, prepared: Prepared) -> dict[str, Any]:
    """Take up the job that is there, or begin one."""
    marks = [file.mark for file in prepared.files]
    job = folder.read_job()
    if job is None:
        at = prepared.request.scored_at or datetime.now(UTC)
        at = at.astimezone(UTC)
        identity = json.dumps(prepared.identity, sort_keys=True)
        job = {
            "job": job_id([identity, at.isoformat()]),
            "scored_at": at.isoformat(),
            "identity": prepared.identity,
            "marks": marks,
            "logging_since": None,
        }
        folder.write_job(job)
        return job
    if job["identity"] != prepared.identity or job["marks"] != marks:
        raise BatchError(
            f"{folder.work}: holds an unfinished job of another kind: inputs, models "
            "or parameters have changed since. Ask for that one again, or remove the "
            "folder"
        )
    return job


class _Run:
    """One run of a job, which may have been begun by another."""

    def __init__(
        self,
        prepared: Prepared,
        folder: JobFolder,
        job: dict[str, Any],
        progress: Progress,
        elsewhere: Elsewhere | None,
    ) -> None:
        request = prepared.request
        self._prepared, self._folder, self._job = prepared, folder, job
        self._progress, self._elsewhere = progress, elsewhere
        self._asked = Asked(
            job=job["job"],
            scored_at=datetime.fromisoformat(job["scored_at"]),
            reasons=request.reasons,
            logged=request.log_folder is not None,
        )
        self._log = (
            None
            if request.log_folder is None
            else BatchLog(request.log_folder, prepared.models, self._asked)
        )
        self._started = time.perf_counter()

    def run(self) -> dict[str, Any]:
        """Score what is not finished, and put all of it together.

        Raises:
            BatchError: If there is no row at all, an input changed or cannot be read
                to its end, or there is no room.
        """
        done = {c.number: c for c in self._folder.done_chunks(self._blocks)}
        if done:
            rows = sum(c.counts["rows"] for c in done.values())
            logger.info("%d finished chunks are taken up, %d rows", len(done), rows)
            self._progress(rows)
        for chunk in self._score(frozenset(done)):
            done[chunk.number] = chunk
        chunks = [done[number] for number in sorted(done)]
        if not sum(c.counts["rows"] for c in chunks):
            raise BatchError(f"{self._prepared.request.source}: there is no row in it")
        return self._commit(chunks)

    @property
    def _blocks(self) -> Path | None:
        return None if self._log is None else self._log.folder

    def _score(self, done: frozenset[int]) -> Iterator[DoneChunk]:
        if self._elsewhere is None:
            yield from self._score_here(done)
            return
        with closing(self._elsewhere(self._prepared, self._asked, done)) as found:
            for contents in found:
                chunk = self._finish(contents)
                self._progress(chunk.counts["rows"])
                yield chunk

    def _score_here(self, done: frozenset[int]) -> Iterator[DoneChunk]:
        prepared = self._prepared
        threads = prepared.request.threads or os.cpu_count() or 1
        chunks = read_chunks(
            prepared.files,
            [check.sources for check in prepared.checks],
            chunk_rows=prepared.request.chunk_rows,
            done=done,
        )
        with closing(chunks), ThreadPoolExecutor(threads) as pool:
            waiting: set[Future[DoneChunk]] = set()
            try:
                for chunk in chunks:
                    waiting.add(pool.submit(self._one, chunk))
                    if len(waiting) >= threads * _AT_A_TIME:
                        ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                        yield from self._told(ready)
                yield from self._told(waiting)
            finally:
                # What was begun is finished, whatever stopped the others.
                pool.shutdown(wait=True, cancel_futures=True)

    def _told(self, ready: set[Future[DoneChunk]]) -> Iterator[DoneChunk]:
        for future in ready:
            chunk = future.result()
            self._progress(chunk.counts["rows"])
            yield chunk

    def _one(self, chunk: Chunk) -> DoneChunk:
        """Decide on a chunk and write what came of it."""
        prepared = self._prepared
        return self._finish(
            chunk_contents(
                chunk,
                prepared.checks[chunk.file],
                prepared.models,
                self._asked,
                name=prepared.files[chunk.file].name,
            )
        )

    def _finish(self, contents: ChunkContents) -> DoneChunk:
        """Write what came of a chunk, and note that it is finished."""
        finished = DoneChunk(
            number=contents.number,
            file=contents.file,
            first_row=contents.first_row,
            files=self._written(contents),
            counts=contents.counts,
            seconds=round(time.perf_counter() - self._started, 3),
        )
        self._folder.note_chunk(finished)
        # Else Arrow keeps what chunks before have needed.
        pa.default_memory_pool().release_unused()
        return finished

    def _written(self, contents: ChunkContents) -> dict[str, str]:
        folder, number = self._folder, contents.number
        name = f"part-{number:06d}.parquet"
        files = {
            f"result:{kind}/{name}": write_whole(folder.result / kind / name, content)
            for kind, content in contents.tables.items()
        }
        own = f"{number:06d}.npy"
        files[f"ids:{own}"] = write_whole(folder.ids / own, contents.ids)
        if self._log is not None and contents.logged is not None:
            files |= self._log.write(number, contents.logged)
        return files

    def _commit(self, chunks: Sequence[DoneChunk]) -> dict[str, Any]:
        """Log the decisions, and then let the output appear."""
        folder = self._folder
        self._refuse_changed_inputs()
        decided = sum(c.counts["decided"] for c in chunks)
        repeated = count_repeated(sorted(folder.ids.glob("*.npy")), decided, folder.ids)
        summary = summarise(
            self._job,
            chunks,
            files=[file.name for file in self._prepared.files],
            repeated=repeated,
        )
        if self._log is not None:
            self._log_all(self._log, chunks)
        content = json.dumps(summary, indent=2) + "\n"
        write_whole(folder.result / SUMMARY, content.encode())
        folder.finish()
        folder.clear()
        return summary

    def _log_all(self, log: BatchLog, chunks: Sequence[DoneChunk]) -> None:
        """Log every chunk once, also if a run before was killed while it did."""
        begun = self._job["logging_since"]
        if begun is None:
            begun = datetime.now(UTC).isoformat()
            self._job = {**self._job, "logging_since": begun}
            self._folder.write_job(self._job)
            log.add(chunks, None)
        else:
            log.add(chunks, datetime.fromisoformat(begun))

    def _refuse_changed_inputs(self) -> None:
        """Make sure that what was read is what is there."""
        marks = [f.mark for f in find_inputs(self._prepared.request.source)]
        if marks != self._job["marks"]:
            raise BatchError(
                f"{self._prepared.request.source}: has changed while it was read, so "
                f"its decisions are of no one state. Remove {self._folder.work} and "
                "run it again"
            )
