"""This checkout's Bento in the foreground: ``python -m credit_scoring.serve``.

BentoML's store belongs to the user, so its newest Bento may be another checkout's.
Where no Redis server is named, a local one is started, which goes with the service.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from credit_scoring.command_line import command_parser
from credit_scoring.errors import CreditScoringError
from credit_scoring.serving.local_store import offer_local_store

RELEASE = Path("bentos/releases/current.json")
_NEWEST = "credit_scoring:latest"


class ServeError(CreditScoringError, RuntimeError):
    """There is nothing to serve."""


def main(options: list[str]) -> int:
    """Become ``bentoml serve`` of the chosen Bento.

    Args:
        options: Options of ``bentoml serve``, e.g. ``--port 3000``.

    Returns:
        1 if there is nothing to serve; otherwise it does not return.
    """
    _parser().parse_known_args(options)
    try:
        tag = choose_bento(RELEASE)
    except CreditScoringError as error:
        print(error, file=sys.stderr)  # noqa: T201 - what the caller reads
        return 1
    print(offer_local_store(os.environ), file=sys.stderr, flush=True)  # noqa: T201
    command = [sys.executable, "-m", "bentoml", "serve", tag, *options]
    os.execv(command[0], command)  # noqa: S606 - no shell wanted


def _parser() -> argparse.ArgumentParser:
    """Describe the options; BentoML reads them."""
    parser = command_parser(
        "serve",
        does="Serve the Bento that was made here last, in the foreground, until "
        "Ctrl-C. Without CREDIT_SCORING_REDIS_URL a Redis server of its own goes "
        "with it. Each other option of `bentoml serve` is handed on: see `bentoml "
        "serve --help`; settings are in docs/reference/settings.md. "
        "The exit code is 1 if there is nothing to serve.",
        example="--host 127.0.0.1 --port 3000",
    )
    # They have no defaults here, so that BentoML's own settings hold.
    parser.add_argument("--host", help="address to listen on (BentoML's default: all)")
    parser.add_argument("--port", help="port to listen on (BentoML's default: 3000)")
    return parser


def choose_bento(release: Path) -> str:
    """Choose the Bento that was released last here, else the newest of the store.

    Args:
        release: Record of the release; it may not be there.

    Returns:
        The Bento's exact tag.

    Raises:
        ServeError: If the store has no Bento of this project at all.
    """
    released = _released(release)
    if released is not None:
        found = _stored(released)
        if found is not None:
            return found
    newest = _stored(_NEWEST)
    if newest is None:
        raise ServeError(
            "BentoML's store has no Bento credit_scoring: run `kedro run` first"
        )
    why = f"{released} is not in BentoML's store" if released else f"no {release} yet"
    print(f"{why}: serving the newest, {newest}", file=sys.stderr)  # noqa: T201
    return newest


def _released(release: Path) -> str | None:
    if not release.is_file():
        return None
    tag: str = json.loads(release.read_bytes())["bento"]
    return tag


def _stored(tag: str) -> str | None:
    """Give the exact tag of a Bento that the store has."""
    import bentoml
    from bentoml.exceptions import NotFound

    try:
        return str(bentoml.bentos.get(tag).tag)
    except NotFound:
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
