"""Files that are only appended to: written whole or not at all, and locked."""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

# No more room is a state that passes; the file stays good.
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_FILE_MODE = 0o640
_LOCK_SECONDS = 0.5
_LOCK_POLL_SECONDS = 0.005


class AppendOnlyFile:
    """A file that takes whole blocks of lines, or nothing of them.

    Attributes:
        path: Where it is.
        size_bytes: Length of what was appended whole.
        broken: Whether it must not be appended to any more: a part of a block
            may stand at its end, or it is no longer in its folder.
    """

    def __init__(self, path: Path, *, fsync: bool, create: bool = False) -> None:
        """Open a file for appending, and lock it against other processes.

        Args:
            path: Where it is.
            fsync: Wait for the disk after each block, so that a loss of power
                loses nothing either.
            create: Make it; it must not exist.

        Raises:
            OSError: If it cannot be opened, or another process has it.
        """
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_CREAT
        self.path = path
        self.broken = False
        self._fsync = fsync
        self._fd = os.open(path, flags | (os.O_EXCL if create else 0), _FILE_MODE)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if create:
                path.unlink()
            os.close(self._fd)
            raise
        self.size_bytes = os.fstat(self._fd).st_size

    def append(self, block: bytes, *, at_leisure: bool = False) -> None:
        """Append a block; if that fails, the file is as it was, or broken.

        Args:
            block: Whole lines.
            at_leisure: Do not wait for the disk, even where others do.

        Raises:
            OSError: If the block was not appended.
        """
        try:
            written = os.write(self._fd, block)
            while written < len(block):
                written += os.write(self._fd, block[written:])
            if self._fsync and not at_leisure:
                os.fsync(self._fd)
        except OSError as error:
            self._undo(error)
            raise
        self.size_bytes += len(block)

    def check_in_place(self) -> None:
        """Make sure that the file was not deleted while it was open.

        Raises:
            OSError: If it was; then it is broken.
        """
        if os.fstat(self._fd).st_nlink == 0:
            self.broken = True
            raise FileNotFoundError(
                errno.ENOENT, "the file was deleted while it was written", self.path
            )

    def cut(self, size_bytes: int) -> None:
        """Cut off what stands behind the last whole line."""
        os.ftruncate(self._fd, size_bytes)
        self.size_bytes = size_bytes

    def close(self) -> None:
        """Close it, which gives up the lock."""
        with contextlib.suppress(OSError):
            os.close(self._fd)

    def _undo(self, error: OSError) -> None:
        # After any other error nobody can say what the file holds.
        self.broken = error.errno not in _NO_ROOM
        try:
            os.ftruncate(self._fd, self.size_bytes)
        except OSError:
            self.broken = True


def is_locked(path: Path) -> bool:
    """Say whether some process has a file open for appending."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextlib.contextmanager
def opened_when_free(path: Path, *, fsync: bool) -> Iterator[AppendOnlyFile]:
    """Open a file that several processes append to in turn.

    Raises:
        OSError: If it cannot be opened, or is not free for half a second.
    """
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            file = AppendOnlyFile(path, fsync=fsync)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_LOCK_POLL_SECONDS)
    try:
        yield file
    finally:
        file.close()


@contextlib.contextmanager
def unchanged(path: Path) -> Iterator[None]:
    """Keep others from appending to a file while it is read.

    Where files cannot be locked, or one is not free for half a second, it is read
    all the same.

    Raises:
        OSError: If it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    deadline = time.monotonic() + _LOCK_SECONDS
    try:
        while time.monotonic() < deadline:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(_LOCK_POLL_SECONDS)
            except OSError:
                break
        yield
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names of a folder's files."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
