"""One file that every worker heeds: an override of the routing, or its end.

The file holds the whole history, each entry with the digest of the one before it, and
is replaced as a whole. It fails closed: what cannot be believed is an override.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from credit_scoring.digests import sha256_of_json
from credit_scoring.errors import RoutingStateError

Kind = Literal["override", "cleared"]
Entry = dict[str, Any]
FILE = "routing.json"
_LOCK = "routing.lock"
_FIELDS = {"kind", "why", "who", "at", "previous", "digest"}
_LONGEST_WHY = 1000


@dataclass(frozen=True)
class RoutingState:
    """What holds now.

    Attributes:
        overridden: Whether the champion decides on everybody.
        why: Why; empty if nothing was ever said.
        since: When that was said, in ISO 8601; None if nothing was, or the file
            cannot be believed.
    """

    overridden: bool
    why: str = ""
    since: str | None = None


CONFIGURED = RoutingState(overridden=False)


def read_state(folder: Path) -> RoutingState:
    """Read what holds; never raises, as an override is the safe answer.

    Args:
        folder: Holds the file; without it the routing is as configured.
    """
    try:
        entries = read_history(folder)
    except RoutingStateError as error:
        return RoutingState(overridden=True, why=str(error))
    if not entries:
        return CONFIGURED
    last = entries[-1]
    return RoutingState(
        overridden=last["kind"] == "override", why=last["why"], since=last["at"]
    )


def read_history(folder: Path) -> list[Entry]:
    """Read all entries, the oldest first; none if there is no file.

    Raises:
        RoutingStateError: If the file cannot be read, or was altered.
    """
    try:
        content = (folder / FILE).read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RoutingStateError(f"{FILE} cannot be read: {error.strerror}") from None
    try:
        entries = json.loads(content)
    except (ValueError, RecursionError):
        raise RoutingStateError(f"{FILE} is no JSON") from None
    if not isinstance(entries, list) or not entries:
        raise RoutingStateError(f"{FILE} is not a list of entries")
    previous = None
    for number, entry in enumerate(entries, start=1):
        if not _follows(entry, previous):
            raise RoutingStateError(f"{FILE}: entry {number} was altered")
        previous = entry["digest"]
    return entries


def change_state(
    folder: Path,
    kind: Kind,
    *,
    why: str,
    who: str,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Entry:
    """Say what is to hold from now on; every worker heeds it within a second.

    A file that cannot be believed is put aside, named after its time, and the new
    history begins with a word about it.

    Args:
        folder: Made if it is missing.
        kind: ``override``: the champion decides on everybody. ``cleared``: the
            routing is as configured again.
        why: Recorded.
        who: Recorded.
        clock: Gives the time.

    Returns:
        The entry; the last one, if that says the same already.

    Raises:
        RoutingStateError: If there is no reason, or the file cannot be written.
    """
    if not why.strip():
        raise RoutingStateError("routing is changed for a reason, which is recorded")
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        with _locked(folder):
            entries = _believed(folder, clock())
            last = entries[-1]["kind"] if entries else "cleared"
            if last == kind and entries:
                return entries[-1]
            entry = _entry(kind, why, who, clock(), entries)
            _replace(folder, [*entries, entry])
    except OSError as error:
        raise RoutingStateError(
            f"the state of routing cannot be written: {error.strerror}"
        ) from None
    return entry


def _entry(kind: Kind, why: str, who: str, at: datetime, entries: list[Entry]) -> Entry:
    body = {
        "kind": kind,
        "why": why.strip()[:_LONGEST_WHY],
        "who": who,
        "at": at.isoformat(timespec="milliseconds"),
        "previous": entries[-1]["digest"] if entries else None,
    }
    return {**body, "digest": sha256_of_json(body)}


def _follows(entry: object, previous: str | None) -> bool:
    if not isinstance(entry, dict) or set(entry) != _FIELDS:
        return False
    body = {name: value for name, value in entry.items() if name != "digest"}
    try:
        digest = sha256_of_json(body)
    except ValueError:  # a NaN, which JSON cannot say
        return False
    return (
        entry["digest"] == digest
        and entry["previous"] == previous
        and entry["kind"] in {"override", "cleared"}
    )


def _believed(folder: Path, at: datetime) -> list[Entry]:
    try:
        return read_history(folder)
    except RoutingStateError as error:
        aside = f"{FILE}.{at.strftime('%Y%m%dT%H%M%S%f')}"
        (folder / FILE).rename(folder / aside)
        return [_entry("override", f"{error}; put aside as {aside}", "", at, [])]


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / _LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _replace(folder: Path, entries: list[Entry]) -> None:
    new = folder / f"{FILE}.new"
    with new.open("w", encoding="utf-8") as file:
        json.dump(entries, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / FILE)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
