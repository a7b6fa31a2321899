"""Writing the decision log: nothing is answered that is not in it."""

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from credit_scoring.decision_log.files import is_locked
from credit_scoring.decision_log.index import Index, locked_index
from credit_scoring.decision_log.records import (
    BlockEntry,
    DecisionEntry,
    Ended,
    Opened,
    Origin,
    OutcomeEntry,
    ShadowEntry,
    encode,
)
from credit_scoring.decision_log.retention import remove_expired
from credit_scoring.decision_log.segments import Segment, ended_without_its_writer
from credit_scoring.errors import DecisionLogError

_LOG = logging.getLogger(__name__)

# After a segment could not be begun: so long nothing new is tried.
_PAUSE_SECONDS = 0.25
# How often it is looked whether the file is still in its folder.
_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class LogParameters:
    """How the decision log is kept.

    Attributes:
        segment_bytes: A segment that is as large is closed, and another begun.
        retention_months: Segments that ended longer ago are removed.
        fsync: Wait for the disk before answering.
    """

    segment_bytes: int = 256 * 1024**2
    retention_months: int = 25
    fsync: bool = False


class DecisionLog:
    """The decision log of one process; threads may share it.

    The first decision begins a segment; each UTC day and each full segment
    another one.
    """

    def __init__(
        self,
        folder: Path,
        origin: Origin,
        parameters: LogParameters | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Keep a log, without touching a file yet.

        Args:
            folder: Holds the segments and their index; made if it is missing
                when the first decision comes, and not again later.
            origin: What the headers say of this process.
            parameters: Rotation, retention and fsync.
            clock: Seconds since 1970.
        """
        self.folder = folder
        self._origin = origin
        self._parameters = parameters or LogParameters()
        self._clock = clock
        self._lock = threading.Lock()
        self._segment: Segment | None = None
        self._day_ends = 0.0
        self._look_at = 0.0
        self._pause_until = 0.0
        self._why_paused = ""
        self._refused = 0
        self._folder_made = False
        _forget_in_forks(self)

    @property
    def segment_bytes(self) -> int:
        """Length of the segment that is being written."""
        segment = self._segment
        return 0 if segment is None else segment.size_bytes

    def append(
        self, entries: Sequence[DecisionEntry | OutcomeEntry | BlockEntry]
    ) -> int:
        """Write decisions before they are answered, all with one write.

        Args:
            entries: At least one.

        Returns:
            Count of bytes written.

        Raises:
            DecisionLogError: If they could not be written. None of them may be
                answered then.
        """
        contents = [encode(entry) for entry in entries]
        with self._lock:
            try:
                written = self._append(contents)
            except OSError as error:
                self._note_refusal(error, len(entries))
                raise DecisionLogError(_said(error)) from None
            if self._refused:
                self._note_recovery()
            return written

    def append_shadows(self, entries: Sequence[ShadowEntry]) -> int:
        """Write what the challenger would have decided; no answer waits for it.

        It goes where the decisions go at this moment. It begins no segment, and it
        does not wait for the disk: what may be lost must cost the others nothing.

        Args:
            entries: At least one.

        Returns:
            Count of bytes written.

        Raises:
            DecisionLogError: If they could not be written.
        """
        contents = [encode(entry) for entry in entries]
        with self._lock:
            if self._segment is None:
                raise DecisionLogError("no segment of the decision log is open")
            try:
                return self._segment.append(contents, at_leisure=True)
            except OSError as error:
                raise DecisionLogError(_said(error)) from None

    def close(self) -> None:
        """Close the segment with its footer; another decision begins another."""
        with self._lock:
            self._end_segment()

    def _append(self, contents: list[bytes]) -> int:
        segment = self._ready_segment()
        try:
            return segment.append(contents)
        except OSError:
            if not segment.broken:
                raise
        # Its end is not known to be good, but another one's would be.
        return self._begin_segment().append(contents)

    def _ready_segment(self) -> Segment:
        now = self._clock()
        segment = self._segment
        if segment is None:
            return self._begin_segment()
        if now >= self._day_ends or (
            segment.size_bytes >= self._parameters.segment_bytes
        ):
            self._end_segment()
            return self._begin_segment()
        if not 0 <= self._look_at - now <= _LOOK_SECONDS:
            self._look_at = now + _LOOK_SECONDS
            try:
                segment.check_in_place()
            except OSError:
                return self._begin_segment()
        return segment

    def _begin_segment(self) -> Segment:
        """Begin a segment; what was written so far is left as it is."""
        if time.monotonic() < self._pause_until:
            raise OSError(self._why_paused)
        if self._segment is not None:
            self._segment.close()
            self._segment = None
        now = datetime.fromtimestamp(self._clock(), UTC)
        try:
            self._make_folder()
            with locked_index(self.folder, fsync=self._parameters.fsync) as index:
                segment = self._opened(index, now)
        except OSError as error:
            self._pause_until = time.monotonic() + _PAUSE_SECONDS
            self._why_paused = _said(error)
            raise
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self._day_ends = (midnight + timedelta(days=1)).timestamp()
        self._segment = segment
        return segment

    def _opened(self, index: Index, now: datetime) -> Segment:
        fsync = self._parameters.fsync
        _end_orphans(index, self.folder, now)
        remove_expired(
            index, self.folder, months=self._parameters.retention_months, now=now
        )
        segment = Segment(self.folder, self._origin, started_at=now, fsync=fsync)
        try:
            index.add(Opened(segment.name, now))
        except OSError:
            segment.discard()
            raise
        _LOG.info("segment %s begun", segment.name)
        return segment

    def _make_folder(self) -> None:
        # Only once: a folder that vanishes while the service runs may be a disk
        # that is no longer there, and what is written in its place is lost.
        if not self._folder_made:
            self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._folder_made = True

    def _end_segment(self) -> None:
        """Close the segment. If that fails, a later start finds its end."""
        segment, self._segment = self._segment, None
        if segment is None:
            return
        now = datetime.fromtimestamp(self._clock(), UTC)
        try:
            segment.check_in_place()
            ended = segment.finish(now)
            with locked_index(self.folder, fsync=self._parameters.fsync) as index:
                index.add(ended)
                _log_end(ended, index)
        except OSError as error:
            _LOG.warning("segment %s was not closed: %s", segment.name, _said(error))
        finally:
            segment.close()

    def _note_refusal(self, error: OSError, count: int) -> None:
        if not self._refused:
            _LOG.error("%s; decisions are refused until it can be", _said(error))
        self._refused += count

    def _note_recovery(self) -> None:
        _LOG.warning(
            "the decision log is written again; %d decisions were refused",
            self._refused,
        )
        self._refused = 0

    def forget_segment(self) -> None:
        """Leave the segment to the process that this one was forked from."""
        if self._segment is not None:
            self._segment.close()  # which keeps the other process's lock
        self._segment = None
        self._lock = threading.Lock()


def _end_orphans(index: Index, folder: Path, now: datetime) -> None:
    """Put into the index how those segments ended whose process is gone."""
    for name in index.known.unended():
        path = folder / name
        try:
            if is_locked(path):
                continue
            ended = ended_without_its_writer(path, now)
        except (OSError, ValueError) as error:
            _LOG.error("segment %s: its end cannot be read: %s", name, error)
            continue
        index.add(ended)
        _log_end(ended, index)


def _log_end(ended: Ended, index: Index) -> None:
    # The log of the service goes elsewhere: there, the head is a witness.
    _LOG.info(
        "segment %s %s with %d records; the head of the index is %s",
        ended.segment,
        "closed" if ended.closed else "ended without its process",
        ended.records,
        index.head.decode(),
    )


def _said(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"the decision log cannot be written: {reason}" if error.errno else reason


def _forget_in_forks(log: DecisionLog) -> None:
    reference = weakref.ref(log)

    def forget() -> None:
        kept = reference()
        if kept is not None:
            kept.forget_segment()

    os.register_at_fork(after_in_child=forget)
