"""Deciding on the chunks of a job on a Dask cluster: the same bytes, elsewhere made.

The workers read the input where it is, so each of them must reach it (S3, or a shared
folder). Models go to them as the files of their artifacts, which each worker verifies
as the service does. Decisions come back as the bytes of their files: nothing but the
process that runs the job writes.
"""

import tempfile
import threading
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distributed import WorkerPlugin, as_completed, get_worker
from distributed.scheduler import KilledWorker

from credit_scoring.batch.chunks import Chunk, read_chunks
from credit_scoring.batch.contents import ChunkContents, chunk_contents
from credit_scoring.batch.inputs import InputFile
from credit_scoring.batch.models import BatchModel, BatchModels, batch_model
from credit_scoring.batch.running import Elsewhere, Prepared
from credit_scoring.batch.scoring import Asked
from credit_scoring.cluster import ClusterParameters
from credit_scoring.contract.model import Contract
from credit_scoring.contract.tables import TableCheck
from credit_scoring.decision.routing import Arm, Split
from credit_scoring.errors import BatchError
from credit_scoring.registry.artifact import load_artifact

if TYPE_CHECKING:
    from distributed import Client

# Rows that a worker decides on in one go, at most; what a killed one costs.
_PART_ROWS = 262_144
# Parts for each worker, at least, so that all are done at about the same time.
_PARTS_EACH = 4
# What comes of a scheduler that is lost.
_OF_A_LOSS = (CancelledError, OSError, RuntimeError, TimeoutError)
# Parts that are under way or wait, for each worker.
_AT_A_TIME = 2


@dataclass(frozen=True)
class PackedModel:
    """A model of the release as the files of its artifact."""

    role: Arm
    name: str
    version: str
    files: Mapping[str, bytes]

    @classmethod
    def of(cls, model: BatchModel) -> "PackedModel":
        """Read the files of a model."""
        files = {
            path.relative_to(model.folder).as_posix(): path.read_bytes()
            for path in sorted(model.folder.rglob("*"))
            if path.is_file()
        }
        return cls(model.role, model.name, model.version, files)

    def load(self) -> tuple[BatchModel, Contract]:
        """Verify the files and make the model ready; gives its contract, too.

        Raises:
            ArtifactError: If a file is not what it was when made.
        """
        with tempfile.TemporaryDirectory(prefix="credit_scoring-model-") as place:
            for name, content in self.files.items():
                path = Path(place, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            artifact = load_artifact(Path(place), compiled=True)
            model = batch_model(
                artifact, self.role, name=self.name, version=self.version
            )
        return model, artifact.contract


class ModelsOnWorker(WorkerPlugin):
    """Brings the models to each worker, also to those that come later."""

    def __init__(self, name: str, models: BatchModels) -> None:
        """Pack the models; nothing is sent.

        Args:
            name: Of the plugin on the workers.
            models: Who decides.
        """
        self.name = name
        self._packed = tuple(PackedModel.of(model) for model in models.all)
        self._split: Split | None = models.split

    def setup(self, worker: Any) -> None:
        """Begin with nothing loaded; a worker must answer while models load."""
        self._lock = threading.Lock()
        self._loaded: BatchModels | None = None

    def models(self) -> BatchModels:
        """Give the models, loaded by whoever asks first."""
        with self._lock:
            if self._loaded is None:
                champion, contract = self._packed[0].load()
                others = [packed.load()[0] for packed in self._packed[1:]]
                challenger = others[0] if others else None
                self._loaded = BatchModels(contract, champion, challenger, self._split)
            return self._loaded


@dataclass(frozen=True)
class Part:
    """Chunks of one file that a worker decides on in one go.

    Attributes:
        file: What is to be read.
        place: Of the file among the inputs.
        first: Number of the file's first chunk, over all files.
        wanted: Numbers of the chunks in the file, from 0.
        chunk_rows: Rows of a chunk.
    """

    file: InputFile
    place: int
    first: int
    wanted: tuple[int, ...]
    chunk_rows: int

    def read(self, columns: list[str]) -> Iterator[Chunk]:
        """Read the chunks, and no further than the last."""
        count = -(-(self.file.rows or 0) // self.chunk_rows)
        others = frozenset(range(count)) - frozenset(self.wanted)
        chunks = read_chunks(
            [self.file], [columns], chunk_rows=self.chunk_rows, done=others
        )
        with closing(chunks):
            for chunk in chunks:
                number = self.first + chunk.number
                yield replace(chunk, number=number, file=self.place)
                if chunk.number == self.wanted[-1]:
                    return


def on_cluster(client: "Client", parameters: ClusterParameters) -> Elsewhere:
    """Let the workers of a cluster decide.

    A worker that is lost costs time alone: what it had is done by another one.

    Args:
        client: Connected.
        parameters: Of the cluster.

    Returns:
        What decides.

    Raises:
        BatchError: Not here: where it decides, if the same rows cost worker after
            worker, or the scheduler is lost.
    """

    def decide(
        prepared: Prepared, asked: Asked, done: frozenset[int]
    ) -> Generator[ChunkContents]:
        """Give what the workers decide, as they do it.

        Raises:
            BatchError: If the same rows cost worker after worker, or the scheduler is
                lost. What is finished is kept.
        """
        plugin = ModelsOnWorker(f"models-{asked.job}", prepared.models)
        client.register_plugin(plugin)
        try:
            yield from _gathered(client, parameters, plugin.name, prepared, asked, done)
        except KilledWorker:
            raise BatchError(
                f"{prepared.request.source}: {parameters.tries} workers in a row were "
                "lost over the same rows: they need more memory, or fewer rows at a "
                "time (batch_scoring.chunk_rows). What is finished is kept"
            ) from None
        except _OF_A_LOSS:
            if client.status == "running":
                raise
            raise BatchError(
                f"{prepared.request.source}: the cluster's scheduler was lost. What is "
                "finished is kept: the same run, started again, goes on with the rest"
            ) from None
        finally:
            # There is nobody to be told when the scheduler is lost.
            with suppress(*_OF_A_LOSS):
                client.unregister_worker_plugin(plugin.name)

    return decide


def _gathered(  # noqa: PLR0913, PLR0917 - a job, and where it is done
    client: "Client",
    parameters: ClusterParameters,
    plugin: str,
    prepared: Prepared,
    asked: Asked,
    done: frozenset[int],
) -> Iterator[ChunkContents]:
    """Keep the workers busy, and give what they have done as they do it."""
    calls = _calls(prepared, asked, done, parameters.most)
    running = as_completed()
    slots = parameters.most * parameters.threads_per_worker * _AT_A_TIME
    held = {}

    def submit_next(most: int) -> None:
        for call in islice(calls, most):
            future = client.submit(*call, plugin, pure=False)
            held[future.key] = future
            running.add(future)

    try:
        submit_next(slots)
        for future in running:
            yield from future.result()
            del held[future.key]
            submit_next(1)
    finally:
        # What is begun when the job stops is of no use to it.
        with suppress(*_OF_A_LOSS):
            client.cancel(list(held.values()))


def _calls(
    prepared: Prepared, asked: Asked, done: frozenset[int], workers: int
) -> Iterator[tuple[Any, ...]]:
    """Say what is to be called for each piece of work, in order."""
    if all(file.kind == "parquet" for file in prepared.files):
        for part in parts_of(prepared, done, workers):
            yield decide_part, part, asked
        return
    # Where a chunk of a CSV file begins is known only by who has read the others.
    sources = [check.sources for check in prepared.checks]
    chunks = read_chunks(
        prepared.files, sources, chunk_rows=prepared.request.chunk_rows, done=done
    )
    with closing(chunks):
        for chunk in chunks:
            file = prepared.files[chunk.file]
            yield decide_chunk, chunk, file, asked


def parts_of(prepared: Prepared, done: frozenset[int], workers: int) -> Iterator[Part]:
    """Cut what is not done of Parquet files into parts.

    Args:
        prepared: The request.
        done: Numbers of finished chunks.
        workers: How many share the work.
    """
    size = prepared.request.chunk_rows
    counts = [-(-(file.rows or 0) // size) for file in prepared.files]
    most = max(1, _PART_ROWS // size)
    each = min(most, max(1, sum(counts) // (workers * _PARTS_EACH)))
    first = 0
    for place, (file, count) in enumerate(zip(prepared.files, counts, strict=True)):
        wanted = [n for n in range(count) if first + n not in done]
        for start in range(0, len(wanted), each):
            numbers = tuple(wanted[start : start + each])
            yield Part(file, place, first, numbers, size)
        first += count


def decide_part(part: Part, asked: Asked, plugin: str) -> list[ChunkContents]:
    """Read and decide on a part; runs on a worker."""
    models = _models(plugin)
    check = _check(part.file, models)
    return [
        chunk_contents(chunk, check, models, asked, name=part.file.name)
        for chunk in part.read(check.sources)
    ]


def decide_chunk(
    chunk: Chunk, file: InputFile, asked: Asked, plugin: str
) -> list[ChunkContents]:
    """Decide on a chunk that came along; runs on a worker."""
    models = _models(plugin)
    check = _check(file, models)
    return [chunk_contents(chunk, check, models, asked, name=file.name)]


def _models(plugin: str) -> BatchModels:
    held: Any = get_worker().plugins[plugin]
    models: BatchModels = held.models()
    return models


def _check(file: InputFile, models: BatchModels) -> TableCheck:
    return TableCheck(models.contract, file.schema, name=file.name, fixed=file.fixed)
