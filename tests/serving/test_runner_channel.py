"""Connections to a runner's service, against servers that behave and that do not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast

import pytest

from credit_scoring.serving.runner_channel import (
    Address,
    ChannelError,
    RunnerChannel,
    address_of,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nserver: x\r\n\r\nhello"
CLOSING = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello"

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def question(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


def answering(*answers: bytes, asked: list[bytes] | None = None) -> Talk:
    """Give these answers on each connection, then close it."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            one = await question(reader)
            if asked is not None:
                asked.append(one)
            writer.write(answer)
            await writer.drain()

    return talk


@asynccontextmanager
async def served(
    talk: Talk, path: Path | None
) -> AsyncIterator[tuple[RunnerChannel, list[asyncio.Task[None]]]]:
    """A channel to a server at a socket or a port, and the talks that were had."""
    talks: list[asyncio.Task[None]] = []

    async def end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(cast("asyncio.Task[None]", asyncio.current_task()))
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await talk(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    if path is None:
        server = await asyncio.start_server(end, "127.0.0.1", 0)
        url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    else:
        server = await asyncio.start_unix_server(end, path)
        url = f"file://{path}"
    channel = RunnerChannel(address_of(url))
    try:
        yield channel, talks
    finally:
        channel.close()
        server.close()
        await asyncio.gather(*talks)


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # A socket's path may have a hundred bytes only.
    return tmp_path_factory.mktemp("s") / "r.sock"


def run(talk: Talk, path: Path, times: int) -> tuple[list[bytes], int]:
    async def ask() -> tuple[list[bytes], int]:
        async with served(talk, path) as (channel, talks):
            answers = [await channel.ask("/x", b"body") for _ in range(times)]
            return answers, len(talks)

    return asyncio.run(ask())


def test_one_connection_serves_many_questions(path: Path) -> None:
    asked: list[bytes] = []
    answers, connections = run(answering(*[OK] * 250, asked=asked), path, 250)
    assert (answers, connections) == ([b"hello"] * 250, 1)
    assert asked[0].startswith(b"POST /x HTTP/1.1\r\n")
    assert asked[0].endswith(b"\r\n\r\nbody")
    assert b"content-type: application/octet-stream\r\n" in asked[0]


def test_a_connection_that_the_server_closed_costs_no_question(path: Path) -> None:
    assert run(answering(OK), path, 5) == ([b"hello"] * 5, 5)


def test_a_connection_that_is_to_be_closed_is_not_used_again(path: Path) -> None:
    assert run(answering(CLOSING, OK), path, 3) == ([b"hello"] * 3, 3)


def test_an_answer_may_come_in_pieces(path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await question(reader)
        for place in range(len(OK)):
            writer.write(OK[place : place + 1])
            await asyncio.sleep(0)

    assert run(talk, path, 1)[0] == [b"hello"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "went away"),
        (OK[:-1], "went away"),
        (OK.replace(b"200", b"503"), "answers 503"),
        (OK.replace(b"Content-Length: 5\r\n", b""), "does not speak as expected"),
        (OK.replace(b"HTTP/1.1", b"SMTP"), "does not speak as expected"),
        (OK.replace(b": 5", b": 99999999999"), "too large"),
        (b"x" * 100_000, "has no end"),
    ],
)
def test_what_is_no_answer_is_said(path: Path, answer: bytes, message: str) -> None:
    with pytest.raises(ChannelError, match=message):
        run(answering(answer), path, 1)


def test_an_answer_that_nobody_asked_for_ends_the_connection(path: Path) -> None:
    assert run(answering(OK + OK, OK), path, 2) == ([b"hello"] * 2, 2)


def test_who_gives_up_does_not_get_the_answer_to_another_question(path: Path) -> None:
    async def ask() -> bytes:
        first = asyncio.Event()

        async def talk(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            body = (await question(reader))[-4:]
            if body == b"slow":
                await first.wait()
            writer.write(OK.replace(b"hello", b"for" + body[-2:]))

        async with served(talk, path) as (channel, _):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await channel.ask("/x", b"slow")
            first.set()
            return await channel.ask("/x", b"fast")

    assert asyncio.run(ask()) == b"forst"


def test_nobody_there_is_an_error_of_the_system(path: Path) -> None:
    channel = RunnerChannel(Address(str(path)))
    with pytest.raises(FileNotFoundError):
        asyncio.run(channel.ask("/x", b""))


def test_addresses_are_read_as_bentoml_writes_them() -> None:
    assert address_of("file:///run/a%20b/1.sock") == Address("/run/a b/1.sock")
    assert address_of("tcp://127.0.0.1:4000") == Address(None, "127.0.0.1", 4000)
    assert address_of("http://127.0.0.1:4000") == Address(None, "127.0.0.1", 4000)
    with pytest.raises(ValueError, match="expected a file://"):
        address_of("ftp://somewhere")


def test_a_server_with_a_port_is_asked_too() -> None:
    async def ask() -> bytes:
        async with served(answering(OK), None) as (channel, _):
            return await channel.ask("/x", b"")

    assert asyncio.run(ask()) == b"hello"
