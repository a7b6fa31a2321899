"""Who decides again: the code that is here, or that of the model's own time."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import msgspec

from credit_scoring.errors import ArtifactError
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.replay import again
from credit_scoring.replay.again import Again, Difference, Record, difference
from credit_scoring.replay.artifacts import Artifacts

_TIMEOUT_S = 3600


class Judge(Protocol):
    """Decides again on the records of one artifact.

    Attributes:
        code: Whose code it runs, in words.
        source: Where the artifact was found.
    """

    code: str
    source: str

    def take(self, records: Sequence[Record]) -> list[Difference]:
        """Take records; what differs may be told now or at the end."""

    def finish(self) -> list[Difference]:
        """Tell what is left to tell; no record comes any more."""


class PresentCode:
    """Decides by the code that runs."""

    code = "the code present"

    def __init__(self, judging: Again, source: str) -> None:
        """Decide with a loaded artifact."""
        self.source = source
        self._again = judging

    def take(self, records: Sequence[Record]) -> list[Difference]:
        """Decide on the records at once."""
        return self._again.differences(records)

    def finish(self) -> list[Difference]:
        """Nothing is left."""
        return []


class OwnCode:
    """Decides by the code that was registered with the model, in a process."""

    code = "the code it was registered with"

    def __init__(
        self, folder: Path, code: Path, source: str, *, until: ExitStack
    ) -> None:
        """Collect the records in a file, which only this user can read.

        Args:
            folder: The artifact.
            code: Holds the package as it was.
            source: Where both were found.
            until: Keeps the file as long as it is open.
        """
        self.source = source
        self._folder, self._package = folder, code
        self._place = Path(
            until.enter_context(tempfile.TemporaryDirectory(prefix="credit_scoring-"))
        )
        self._asked = self._place / "records.jsonl"
        self._last: Record | None = None
        self._count = 0

    def take(self, records: Sequence[Record]) -> list[Difference]:
        """Keep the records for the end."""
        with self._asked.open("ab") as file:
            file.writelines(msgspec.json.encode(record) + b"\n" for record in records)
        self._last = records[-1]
        self._count += len(records)
        return []

    def finish(self) -> list[Difference]:
        """Decide on all of them."""
        if self._last is None:
            return []
        answered = self._place / "differences.jsonl"
        arguments = [str(self._folder), str(self._asked), str(answered)]
        # Not as a module: the code of that time may not have it. And without its
        # folder on the path, where modules of ours would hide others.
        done = subprocess.run(  # noqa: S603 - our own file, no shell
            [sys.executable, "-P", str(again.__file__), *arguments],
            env={**os.environ, "PYTHONPATH": str(self._package)},
            cwd=self._place,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        if done.returncode or not answered.exists():
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            problem = (
                f"{self._count} records up to this one cannot be decided again by "
                f"the code it was registered with: {last[:200]}"
            )
            return [difference(self._last, "model", problem)]
        with answered.open("rb") as file:
            return [msgspec.json.decode(line, type=Difference) for line in file]


class Nobody:
    """Stands for an artifact that is not here: nothing can be decided again."""

    code = "none"

    def __init__(self, why: str, source: str = "nowhere") -> None:
        """Say why."""
        self.source = source
        self._why = why

    def take(self, records: Sequence[Record]) -> list[Difference]:
        """Say it of each record."""
        return [difference(record, "model", self._why) for record in records]

    def finish(self) -> list[Difference]:
        """Nothing is left."""
        return []


def judge_of(digest: str, artifacts: Artifacts, until: ExitStack) -> Judge:
    """Find who decides again for a model.

    Args:
        digest: SHA-256 of the artifact's manifest.
        artifacts: Where it is looked for.
        until: Keeps its files as long as it is open.
    """
    found = artifacts.find(digest, until)
    if found is None:
        return Nobody(f"no artifact with digest {digest[:12]} is registered or stored")
    try:
        return PresentCode(Again(load_artifact(found.folder)), found.source)
    except ArtifactError as error:
        if found.code is None or not found.code.is_dir():
            return Nobody(f"its artifact cannot be used: {error}"[:300], found.source)
    return OwnCode(found.folder, found.code, found.source, until=until)
