"""Retention: old segments are removed whole, and the index remembers them."""

import calendar
import logging
from datetime import datetime
from pathlib import Path

from credit_scoring.decision_log.blocks import blocks_of
from credit_scoring.decision_log.index import Index
from credit_scoring.decision_log.records import Removed

_LOG = logging.getLogger(__name__)
_MONTHS_A_YEAR = 12


def months_before(now: datetime, months: int) -> datetime:
    """Go back in the calendar: to the same day, or the last one of the month."""
    count = now.year * _MONTHS_A_YEAR + now.month - 1 - months
    year, month = divmod(count, _MONTHS_A_YEAR)
    last_day = calendar.monthrange(year, month + 1)[1]
    return now.replace(year=year, month=month + 1, day=min(now.day, last_day))


def remove_expired(index: Index, folder: Path, *, months: int, now: datetime) -> None:
    """Remove the segments that ended more than so many months ago.

    Each leaves its count and its last hash in the index, first: a process killed
    in between leaves a file that the next removal deletes.

    Raises:
        OSError: If the index cannot be written.
    """
    limit = months_before(now, months)
    for name, ended in index.known.ended.items():
        if ended.at < limit and name not in index.known.removed:
            index.add(Removed(name, ended.records, ended.last_hash, ended.at, now))
            _LOG.info(
                "segment %s removed with %d decisions: it ended more than %d months "
                "ago",
                name,
                ended.records,
                months,
            )
    for name in index.known.removed:
        _delete(folder / name)


def _delete(path: Path) -> None:
    try:
        if path.exists():
            for block in blocks_of(path):
                (path.parent / block.file).unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    except OSError as error:
        _LOG.error("segment %s cannot be deleted: %s", path.name, error.strerror)
