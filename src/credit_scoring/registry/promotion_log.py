"""The history of promotions: an append-only chain of signed records in MLflow.

Each record is a file of the run that made it and an entry of its own in the
registry, under the model's name and ``_promotions``. MLflow numbers entries one by
one, whatever its database and however many append at once: that decides which of two
came first. An entry stands if it follows the one that stood last, so of two records
that follow the same one the first stands and the second is void.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from credit_scoring.digests import canonical_json
from credit_scoring.errors import PromotionError
from credit_scoring.registry.mlflow_registry import all_versions
from credit_scoring.registry.records import Record, require_record
from credit_scoring.registry.signing import TrustedKeys

_FOLDER = "promotion"
_FILE = "promotion_record.json"
_NONE = "none"


@dataclass(frozen=True)
class Entry:
    """An entry of the log, without its record.

    Attributes:
        number: Entries are numbered from 1.
        run_id: The run that has the record.
        digest: The record's.
        previous: Digest of the record that it follows; None for the first.
    """

    number: int
    run_id: str
    digest: str
    previous: str | None


class PromotionLog:
    """Reads and appends records of promotion."""

    def __init__(self, model: str, trusted: TrustedKeys) -> None:
        """Open the log of the server that `mlflow.set_tracking_uri` named.

        Args:
            model: Registered name.
            trusted: Keys whose signatures are believed.
        """
        self.name = log_name(model)
        self._trusted = trusted
        self._client = MlflowClient()

    def chain(self) -> list[Entry]:
        """List the entries that stand, the oldest first; void ones are left out."""
        standing: list[Entry] = []
        for entry in map(_entry, all_versions(self._client, self.name)):
            last = standing[-1].digest if standing else None
            if entry.previous == last:
                standing.append(entry)
        return standing

    def head(self) -> Record | None:
        """Read the record that stands last; None if there is none.

        Raises:
            PromotionError: If it is gone, or cannot be believed.
        """
        chain = self.chain()
        return self.read(chain[-1]) if chain else None

    def records(self) -> list[Record]:
        """Read all records that stand, the oldest first.

        Raises:
            PromotionError: If one is gone, or cannot be believed.
        """
        return [self.read(entry) for entry in self.chain()]

    def read(self, entry: Entry) -> Record:
        """Read an entry's record, and verify it.

        Raises:
            PromotionError: If it is gone, altered, or signed by nobody trusted.
        """
        what = f"promotion record {entry.number} of {self.name}"
        with tempfile.TemporaryDirectory(prefix="credit_scoring-") as place:
            try:
                path = mlflow.artifacts.download_artifacts(
                    run_id=entry.run_id,
                    artifact_path=f"{_FOLDER}/{_FILE}",
                    dst_path=place,
                )
                record: Record = json.loads(Path(path).read_bytes())
            except (MlflowException, OSError, ValueError) as error:
                raise PromotionError(
                    f"{what} cannot be read from run {entry.run_id}: "
                    f"{type(error).__name__}"
                ) from error
        require_record(record, self._trusted)
        if record["digest"] != entry.digest or record["previous"] != entry.previous:
            raise PromotionError(f"{what}: its entry and its file do not agree")
        return record

    def append(self, record: Record, pages: Mapping[str, bytes]) -> Entry:
        """Append a record that follows the one that stands last.

        Args:
            record: Signed; ``previous`` is the digest that it follows.
            pages: Files for people beside it: name -> content.

        Raises:
            PromotionError: If another promotion came first; this record is void.
        """
        with mlflow.start_run(run_name=record["kind"], nested=True) as run:
            files = {_FILE: canonical_json(record), **pages}
            with tempfile.TemporaryDirectory(prefix="credit_scoring-") as place:
                for name, content in files.items():
                    Path(place, name).write_bytes(content)
                mlflow.log_artifacts(place, _FOLDER)
            entry = self._enter(record, run.info.run_id)
        # A call whose answer was lost is sent again, and may have entered it twice.
        same = (entry.run_id, entry.digest)
        standing = [one for one in self.chain() if (one.run_id, one.digest) == same]
        if not standing:
            raise PromotionError(
                "another promotion was recorded while this one was decided, and it "
                f"stands; entry {entry.number} of {self.name} is void and no role was "
                "changed. Run `kedro run --pipelines promotion,packaging` to judge "
                "against the new champion"
            )
        return standing[0]

    def _enter(self, record: Record, run_id: str) -> Entry:
        try:
            self._client.create_registered_model(
                self.name, description="Signed records of promotions, in their order."
            )
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        root = self._client.get_run(run_id).info.artifact_uri
        created = self._client.create_model_version(
            self.name,
            source=f"{root}/{_FOLDER}",
            run_id=run_id,
            tags=_tags(record),
            description=record["decision"],
        )
        return _entry(created)


def log_name(model: str) -> str:
    """Name the log of a registered model."""
    return f"{model}_promotions"


def _tags(record: Record) -> dict[str, str]:
    holders: dict[str, Any] = {a: record[a] for a in ("champion", "challenger")}
    return {
        "digest": record["digest"],
        "previous": record["previous"] or _NONE,
        "kind": record["kind"],
        "actor": record["actor"],
        **{a: str(h["version"]) if h else _NONE for a, h in holders.items()},
    }


def _entry(version: ModelVersion) -> Entry:
    previous = version.tags.get("previous", "")
    return Entry(
        number=int(version.version),
        run_id=str(version.run_id),
        digest=version.tags.get("digest", ""),
        previous=None if previous == _NONE else previous,
    )
