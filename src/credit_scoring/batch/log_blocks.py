"""The decision log of a batch: a file of columns each chunk, and a line for each."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from credit_scoring import __version__
from credit_scoring.batch.models import BatchModels
from credit_scoring.batch.scoring import Asked
from credit_scoring.batch.state import DoneChunk, write_whole
from credit_scoring.decision_log.blocks import block_name, listed_blocks
from credit_scoring.decision_log.records import (
    BlockEntry,
    DecidingModel,
    LoggedModel,
    Origin,
)
from credit_scoring.decision_log.writer import DecisionLog
from credit_scoring.errors import BatchError

KEY = "log:"


class BatchLog:
    """Puts a job's decisions into the decision log."""

    def __init__(self, folder: Path, models: BatchModels, asked: Asked) -> None:
        """Log into a folder; nothing is opened.

        Args:
            folder: Of the decision log, the service's own as a rule.
            models: Who decides.
            asked: The job.
        """
        self.folder = folder
        self._models = models
        self._asked = asked

    def write(self, number: int, content: bytes) -> dict[str, str]:
        """Write a chunk's block; it counts once its line is in the chain.

        Returns:
            Its key, for `DoneChunk`, and its digest.

        Raises:
            BatchError: If it cannot be written.
        """
        name = block_name(self._asked.job, number)
        path = self.folder / name
        try:
            path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as error:
            raise BatchError(
                f"{self.folder}: the decision log cannot be written: {error.strerror}"
            ) from None
        return {f"{KEY}{name}": write_whole(path, content)}

    def add(self, chunks: Sequence[DoneChunk], since: datetime | None) -> None:
        """Put the lines of all blocks into the chain that are not in it yet.

        Args:
            chunks: All chunks of the job, in order.
            since: When a run before began to do this; None if none has.

        Raises:
            DecisionLogError: If the log cannot be written.
        """
        job = self._asked.job
        known = listed_blocks(self.folder, job, since) if since else frozenset()
        entries = [
            self._entry(key.removeprefix(KEY), digest, chunk)
            for chunk in chunks
            for key, digest in chunk.files.items()
            if key.startswith(KEY) and key.removeprefix(KEY) not in known
        ]
        if not entries:
            return
        log = DecisionLog(self.folder, self._origin())
        try:
            log.append(entries)
        finally:
            log.close()

    def _entry(self, name: str, digest: str, chunk: DoneChunk) -> BlockEntry:
        every = self._models.all
        return BlockEntry(
            file=name,
            sha256=digest,
            decisions=chunk.counts["decided"],
            job=self._asked.job,
            scored_at=self._asked.scored_at.astimezone(UTC),
            explained=self._asked.reasons == "all",
            told=self._asked.reasons != "none",
            models=tuple(
                LoggedModel(m.name, m.version, m.role, m.digest) for m in every
            ),
            policy_versions=tuple(m.engine.engine.policy_version for m in every),
        )

    def _origin(self) -> Origin:
        contract = self._models.contract
        return Origin(
            service_version=__version__,
            contract_digest=contract.digest,
            inputs=contract.input_names,
            models=tuple(
                DecidingModel(
                    name=m.name,
                    version=m.version,
                    role=m.role,
                    digest=m.digest,
                    policy_version=m.engine.engine.policy_version,
                    features=m.engine.engine.features.names,
                )
                for m in self._models.all
            ),
        )
