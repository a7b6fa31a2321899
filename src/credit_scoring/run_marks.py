"""Marks of datasets that a run was to make and has not made (yet).

A run that stops leaves files of an earlier run behind. Nobody sees that they are
older than what was refused, so each is marked until it is made again.
"""

from collections.abc import Collection, Iterable
from pathlib import Path

FOLDER = Path(".unfinished")


class UnfinishedMarks:
    """One file a dataset, so that processes of one run do not disturb each other."""

    def __init__(self, data: Path) -> None:
        """Point at the marks of what pipelines make; nothing is written.

        Args:
            data: Folder of what they make. Each data set has one of its own.
        """
        self._folder = data / FOLDER

    def put(self, datasets: Iterable[str], command: str) -> None:
        """Mark datasets with the command that makes them."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for dataset in datasets:
            (self._folder / dataset).write_text(command + "\n", encoding="utf-8")

    def remove(self, datasets: Iterable[str]) -> None:
        """Take the marks off datasets that were made."""
        for dataset in datasets:
            (self._folder / dataset).unlink(missing_ok=True)

    def among(self, datasets: Collection[str]) -> dict[str, str]:
        """Give those that are marked, with the command that makes them."""
        if not self._folder.is_dir():
            return {}
        marked = {path.name: path for path in self._folder.iterdir()}
        return {
            dataset: marked[dataset].read_text(encoding="utf-8").strip()
            for dataset in sorted(datasets)
            if dataset in marked
        }
