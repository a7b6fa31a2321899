"""A block is appended whole or not at all, by one process at a time."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from credit_scoring.decision_log.files import (
    AppendOnlyFile,
    is_locked,
    opened_when_free,
    unchanged,
)


class FullDisk:
    """Takes so many more bytes, then has no room."""

    def __init__(self, room: int, error: int = errno.ENOSPC) -> None:
        self.room = room
        self.error = error
        self.write = os.write

    def __call__(self, descriptor: int, data: bytes) -> int:
        if self.room == 0:
            raise OSError(self.error, os.strerror(self.error))
        taken = self.write(descriptor, data[: self.room])
        self.room -= taken
        return taken


@pytest.fixture
def file(tmp_path: Path) -> AppendOnlyFile:
    file = AppendOnlyFile(tmp_path / "file", fsync=False, create=True)
    file.append(b"first\n")
    return file


def test_a_write_in_pieces_is_completed(
    file: AppendOnlyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:3]))
    file.append(b"second line\n")
    assert file.path.read_bytes() == b"first\nsecond line\n"


def test_a_block_that_finds_no_room_leaves_nothing(
    file: AppendOnlyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", FullDisk(room=4))
        with pytest.raises(OSError, match="No space left"):
            file.append(b"second\n")
    assert file.path.read_bytes() == b"first\n"
    assert not file.broken
    file.append(b"third\n")
    assert file.path.read_bytes() == b"first\nthird\n"
    assert file.size_bytes == 12


def test_after_another_error_the_file_is_not_trusted(
    file: AppendOnlyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "write", FullDisk(room=4, error=errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        file.append(b"second\n")
    assert file.broken
    assert file.path.read_bytes() == b"first\n"


def test_a_part_that_cannot_be_cut_off_breaks_the_file(
    file: AppendOnlyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise OSError(errno.EROFS, "read-only")

    monkeypatch.setattr(os, "write", FullDisk(room=4))
    monkeypatch.setattr(os, "ftruncate", refuse)
    with pytest.raises(OSError, match="No space left"):
        file.append(b"second\n")
    assert file.broken
    assert file.path.read_bytes() == b"first\nseco"


def test_each_block_waits_for_the_disk_if_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    file = AppendOnlyFile(tmp_path / "file", fsync=True)
    file.append(b"a\n")
    file.append(b"b\n")
    assert len(synced) == 2


def test_what_the_disk_did_not_take_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    file = AppendOnlyFile(tmp_path / "file", fsync=True)
    with pytest.raises(OSError, match="Input/output"):
        file.append(b"a\n")
    assert file.broken


def test_two_never_have_one_file(file: AppendOnlyFile) -> None:
    with pytest.raises(BlockingIOError):
        AppendOnlyFile(file.path, fsync=False)
    assert is_locked(file.path)
    file.close()
    assert not is_locked(file.path)
    AppendOnlyFile(file.path, fsync=False).close()


def test_a_file_that_cannot_be_locked_is_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(OSError, match="no locks"):
        AppendOnlyFile(tmp_path / "file", fsync=False, create=True)
    assert not list(tmp_path.iterdir())


def test_no_file_is_not_locked(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "none")


def test_a_file_that_is_not_free_is_given_up(file: AppendOnlyFile) -> None:
    with (
        pytest.raises(BlockingIOError),
        opened_when_free(file.path, fsync=False),
    ):
        pass


def test_a_deleted_file_is_noticed(file: AppendOnlyFile) -> None:
    file.check_in_place()
    file.path.unlink()
    with pytest.raises(FileNotFoundError, match="deleted"):
        file.check_in_place()
    assert file.broken


def test_a_file_that_is_read_is_not_appended_to(file: AppendOnlyFile) -> None:
    file.close()
    with unchanged(file.path), pytest.raises(BlockingIOError):
        AppendOnlyFile(file.path, fsync=False)


def test_a_file_that_is_not_free_can_be_read(file: AppendOnlyFile) -> None:
    with unchanged(file.path):
        assert file.path.read_bytes() == b"first\n"


def test_where_files_cannot_be_locked_they_can_be_read(
    file: AppendOnlyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("fcntl.flock", refuse)
    with unchanged(file.path):
        assert file.path.read_bytes() == b"first\n"


def test_others_of_the_machine_cannot_read_it(tmp_path: Path) -> None:
    file = AppendOnlyFile(tmp_path / "file", fsync=False, create=True)
    assert file.path.stat().st_mode & 0o007 == 0
