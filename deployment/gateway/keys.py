"""Make, list and revoke the gateway's API keys.

usage: python deployment/gateway/keys.py --file FILE add NAME --roles score,outcomes
       python deployment/gateway/keys.py --file FILE list
       python deployment/gateway/keys.py --file FILE revoke NAME [--hash PREFIX]

A new key is printed once; the file has its SHA-256 alone. The gateway reads the file
with each request, so a change holds from the next request on. To rotate a key, add a
second one under the same name, hand it over, and revoke the first by its hash.
"""

import argparse
import fcntl
import hashlib
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

ROLES = ("score", "outcomes", "monitor", "admin")
RATES = ("low", "standard", "high")
PREFIX = "cs_"
FOREVER = "-"
# Of 256 bits there is nothing to guess, so a plain hash is enough.
_SECRET_BYTES = 32
_NAME = re.compile(r"\A[a-z0-9-]{1,32}\Z")
_LINE = re.compile(
    rf"\A([0-9a-f]{{64}}) ([a-z0-9-]{{1,32}}) ([a-z,]+) ({'|'.join(RATES)}) "
    rf"(\d{{4}}-\d\d-\d\d|{FOREVER})\Z"
)


class KeysError(ValueError):
    """The file of keys, or what is to be done with it, is not as it must be."""


class Key(NamedTuple):
    """One line of the file.

    Attributes:
        digest: SHA-256 of the key, in hex.
        name: Who holds it; the gateway's log says it.
        roles: What it may ask for.
        rate: How often, by a name of `rates.conf`.
        until: Last day (UTC) on which it is taken; None for no end.
    """

    digest: str
    name: str
    roles: tuple[str, ...]
    rate: str
    until: date | None

    @property
    def line(self) -> str:
        """The line that says it."""
        until = FOREVER if self.until is None else self.until.isoformat()
        return f"{self.digest} {self.name} {','.join(self.roles)} {self.rate} {until}"


def read_keys(file: Path) -> list[Key]:
    """Read the file of keys; one that is not there has none.

    Raises:
        KeysError: If a line is not as it must be, with its number.
    """
    if not file.exists():
        return []
    lines = file.read_text(encoding="ascii").splitlines()
    return [_key(line, number) for number, line in enumerate(lines, start=1)]


def _key(line: str, number: int) -> Key:
    parts = _LINE.match(line)
    if parts is None:
        raise KeysError(
            f"line {number} of the keys is not 'SHA-256 name roles rate until'"
        )
    digest, name, roles, rate, until = parts.groups()
    ends = None if until == FOREVER else _day(until)
    return Key(digest, name, _roles(roles), rate, ends)


def _roles(text: str) -> tuple[str, ...]:
    roles = tuple(text.split(","))
    if unknown := sorted(set(roles) - set(ROLES)):
        raise KeysError(f"no such role: {unknown[0]!r}; there are {', '.join(ROLES)}")
    return roles


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise KeysError(f"expected a day such as 2027-12-31, not {text!r}") from None


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Let one command at a time change the file."""
    lock = file.with_name(f".{file.name}.lock")
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def change_keys(file: Path, change: Callable[[list[Key]], list[Key]]) -> None:
    """Put other keys into the file at once; a reader sees the old or the new ones.

    Raises:
        KeysError: If the file, or the change, is not as it must be.
    """
    with _locked(file):
        keys = change(read_keys(file))
        new = file.with_name(f".{file.name}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
        with os.fdopen(descriptor, "w", encoding="ascii") as output:
            output.write("".join(f"{key.line}\n" for key in keys))
            output.flush()
            os.fsync(output.fileno())
        if file.exists():
            # Who may read it stays as it was.
            state = file.stat()
            os.chown(new, state.st_uid, state.st_gid)
            new.chmod(state.st_mode & 0o777)
        new.replace(file)


def add_key(
    file: Path, name: str, roles: str, *, rate: str, until: str | None = None
) -> str:
    """Make a key, and keep its hash.

    Returns:
        The key; nothing can show it again.

    Raises:
        KeysError: If name, roles or day are not as they must be.
    """
    if not _NAME.match(name):
        raise KeysError("a name has 1 to 32 of: a to z, 0 to 9, '-'")
    key = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    digest = hashlib.sha256(key.encode()).hexdigest()
    added = Key(digest, name, _roles(roles), rate, _day(until) if until else None)
    change_keys(file, lambda keys: [*keys, added])
    return key


def revoke_keys(file: Path, name: str, *, start_of_hash: str = "") -> int:
    """Take the keys of a name, or the one with a hash, out of the file.

    Returns:
        How many were revoked.

    Raises:
        KeysError: If there is none.
    """
    revoked = 0

    def without(keys: list[Key]) -> list[Key]:
        nonlocal revoked
        kept = [
            key
            for key in keys
            if key.name != name or not key.digest.startswith(start_of_hash)
        ]
        revoked = len(keys) - len(kept)
        if not revoked:
            raise KeysError(f"there is no such key of {name!r}")
        return kept

    change_keys(file, without)
    return revoked


def _listed(file: Path) -> str:
    today = datetime.now(UTC).date()
    rows = [
        f"{key.digest[:12]}  {key.name:32}  {','.join(key.roles):30}  {key.rate:8}  "
        + ("no end" if key.until is None else key.until.isoformat())
        + ("  expired" if key.until is not None and key.until < today else "")
        for key in read_keys(file)
    ]
    return "\n".join(rows) or "no keys"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="The gateway's API keys.")
    parser.add_argument("--file", type=Path, required=True, help="file of hashes")
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="make a key and print it, once")
    add.add_argument("name")
    add.add_argument("--roles", required=True, help=f"of {', '.join(ROLES)}")
    add.add_argument("--rate", choices=RATES, default="standard")
    add.add_argument("--until", help="last day on which it is taken, YYYY-MM-DD")
    revoke = commands.add_parser("revoke", help="take keys out of the file")
    revoke.add_argument("name")
    revoke.add_argument("--hash", default="", help="start of the hash of one key")
    commands.add_parser("list", help="show names, roles and starts of hashes")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; give its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.command == "add":
            said = add_key(
                asked.file, asked.name, asked.roles, rate=asked.rate, until=asked.until
            )
        elif asked.command == "revoke":
            count = revoke_keys(asked.file, asked.name, start_of_hash=asked.hash)
            said = f"{count} revoked"
        else:
            said = _listed(asked.file)
    except (KeysError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
