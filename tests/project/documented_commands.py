"""Command blocks of a documentation page, and a shell in which they are run.

A block begins with ```sh. One that cannot be run here says so in the line before it,
``*Not run by the tests...*``. A block ```text right after one is what it prints, by
line: `...` stands for anything, and lines between may be left out.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from credit_scoring.serving.local_server import free_port, is_ready, stop

_BLOCK = re.compile(
    r"(?P<mark>^\*Not run by the tests[^*]*\*\n\n)?"
    r"^```sh\n(?P<code>.*?)\n```$"
    r"(?:\n\n```text\n(?P<printed>.*?)\n```$)?",
    re.MULTILINE | re.DOTALL,
)
_PORT = re.compile(r"(?<=127\.0\.0\.1:)3000\b|(?<=--port )3000\b")
_SERVES = re.compile(r"^(?:\w+=\S+ )*(?:make serve|bentoml serve\b.*)$")
_READY_SECONDS = 120.0
# `make demo` is a default run, which the project under test has behind it, and this.
_STAND_INS = {"make demo": "python -m credit_scoring.demo"}


@dataclass(frozen=True)
class Block:
    """Commands of a page.

    Attributes:
        code: The commands.
        run: Whether a test runs them.
        printed: What they print, by line; empty if the page does not say.
    """

    code: str
    run: bool
    printed: tuple[str, ...]

    @property
    def serves(self) -> bool:
        """Whether it is a server, which stays in the foreground."""
        return _SERVES.match(self.code) is not None


def blocks_of(page: str) -> list[Block]:
    """Read the command blocks of a page, in order."""
    return [
        Block(
            found["code"],
            run=found["mark"] is None,
            printed=tuple((found["printed"] or "").splitlines()),
        )
        for found in _BLOCK.finditer(page)
    ]


def missing_lines(printed: tuple[str, ...], output: str) -> list[str]:
    """Give the lines that a page promises and an output does not have, in order."""
    lines: Iterator[str] = iter(output.splitlines())
    missing = []
    for promised in printed:
        parts = [re.escape(part) for part in promised.strip().split("...")]
        pattern = re.compile(".*".join(parts))
        if not any(pattern.search(line) for line in lines):
            missing.append(promised)
            lines = iter(())
    return missing


def borrow_environment(folder: Path) -> None:
    """Give a copied project this environment, as if `make install` had made it."""
    own = folder / ".venv"
    own.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name != ".installed":
            (own / entry.name).symlink_to(entry)
    (own / ".installed").write_text(f"{folder.resolve()}\n")


class Shell:
    """Runs the blocks of pages in a project's folder, one after the other."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, which has an environment of its own."""
        self._folder = folder
        self._port = free_port()
        self._servers = ExitStack()
        inherited = {n: v for n, v in os.environ.items() if not n.startswith("COV")}
        for told_by_make in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
            inherited.pop(told_by_make, None)
        # Other tests of the same worker may have sent all logs elsewhere.
        for folder_of_logs in ("DECISION_LOG_DIR", "OUTCOMES_DIR"):
            inherited.pop(f"CREDIT_SCORING_{folder_of_logs}", None)
        self._environment = inherited | {
            "PATH": f"{folder / '.venv' / 'bin'}:{inherited['PATH']}",
            "PORT": str(self._port),
            "PYTHONPATH": str(folder / "src"),
            "KEDRO_ENV": "test",
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
            "BENTOML_HOME": str(folder / "bentoml"),
        }

    def follow(self, page: str) -> int:
        """Run the blocks of a page; its servers end with the page.

        Returns:
            How many blocks were run.
        """
        blocks = [block for block in blocks_of(page) if block.run]
        with self._servers:
            for block in blocks:
                if block.serves:
                    self._serve(block)
                else:
                    self._run(block)
        return len(blocks)

    def _command(self, block: Block) -> list[str]:
        code = _PORT.sub(str(self._port), _STAND_INS.get(block.code, block.code))
        return ["bash", "-euo", "pipefail", "-c", code]

    def _run(self, block: Block) -> None:
        done = subprocess.run(
            self._command(block),
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"{block.code}\n\n{done.stdout[-3000:]}"
        missing = missing_lines(block.printed, done.stdout)
        assert missing == [], f"{block.code}: not printed: {missing}\n{done.stdout}"

    def _serve(self, block: Block) -> None:
        self._servers.enter_context(self._server(block))

    @contextmanager
    def _server(self, block: Block) -> Iterator[None]:
        log = self._folder / "documented_server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._command(block),
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            gives_up = time.monotonic() + _READY_SECONDS
            while not is_ready(self._port):
                assert process.poll() is None, log.read_text()[-3000:]
                assert time.monotonic() < gives_up, log.read_text()[-3000:]
                time.sleep(0.1)
            yield
        finally:
            stop(process)
