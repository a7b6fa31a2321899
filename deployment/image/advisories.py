"""Advisories in OSV's form, out of a file or folder, asked for as OSV's API is.

Where no advisory service can be reached: OSV exports all advisories of PyPI as one
archive (`PyPI/all.zip`), which a lender's CI mirrors.
"""

import contextlib
import json
import threading
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

Advisory = Mapping[str, Any]
Known = Mapping[str, Sequence[Advisory]]

_HOST = "127.0.0.1"
_OLD = timedelta(days=30)


class AdvisoriesError(ValueError):
    """The advisories cannot be used, so nothing is known of any package."""


def read_advisories(path: Path, now: datetime) -> tuple[Known, datetime]:
    """Read the advisories of PyPI's packages.

    Args:
        path: OSV's archive, or a folder of its JSON files.
        now: They may be 30 days old at most: what is newer is not known.

    Returns:
        Canonical name -> its advisories; and when the newest was changed.

    Raises:
        AdvisoriesError: If there are none, one cannot be read, or they are old.
    """
    known: dict[str, list[Advisory]] = defaultdict(list)
    newest = datetime.min.replace(tzinfo=UTC)
    for name, content in _contents(path):
        try:
            said = json.loads(content)
            newest = max(newest, datetime.fromisoformat(said["modified"]))
            packages = {
                canonicalize_name(one["package"]["name"])
                for one in said.get("affected", ())
                if one["package"]["ecosystem"] == "PyPI"
            }
        except (ValueError, KeyError, TypeError):
            raise AdvisoriesError(f"{path}: {name} is no advisory of OSV") from None
        for package in packages:
            known[package].append(said)
    if not known:
        raise AdvisoriesError(f"{path}: holds no advisory of a package of PyPI")
    if now - newest > _OLD:
        raise AdvisoriesError(
            f"{path}: its newest advisory is of {newest:%Y-%m-%d}, more than "
            f"{_OLD.days} days ago"
        )
    return known, newest


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if path.is_dir():
            for file in sorted(path.rglob("*.json")):
                yield file.name, file.read_bytes()
            return
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".json"):
                    yield name, archive.read(name)
    except (OSError, zipfile.BadZipFile) as error:
        raise AdvisoriesError(f"{path}: cannot be read: {error}") from None


def advisories_of(known: Known, name: str, version: str) -> list[Advisory]:
    """Give the advisories that a version of a package is affected by."""
    package = canonicalize_name(name)
    return [
        advisory
        for advisory in known.get(package, ())
        if any(
            _affects(one, version)
            for one in advisory["affected"]
            if canonicalize_name(one["package"]["name"]) == package
        )
    ]


def _affects(affected: Mapping[str, Any], version: str) -> bool:
    if version in affected.get("versions", ()):
        return True
    ranges = [one for one in affected.get("ranges", ()) if one["type"] == "ECOSYSTEM"]
    try:
        return any(_is_within(one["events"], Version(version)) for one in ranges)
    except InvalidVersion:
        return True  # what cannot be compared is not clean


def _is_within(events: Sequence[Mapping[str, str]], version: Version) -> bool:
    """Go through a range's events by version, as OSV's schema says."""
    within = False
    steps = [(Version(v), kind) for event in events for kind, v in event.items()]
    for at, kind in sorted(steps):
        if kind == "introduced" and at <= version:
            within = True
        if (kind == "fixed" and at <= version) or (
            kind == "last_affected" and at < version
        ):
            within = False
    return within


@contextlib.contextmanager
def answering(known: Known) -> Iterator[str]:
    """Answer OSV's query on this machine alone; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = advisories_of(known, asked["package"]["name"], asked["version"])
            body = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing of each question."""

    server = ThreadingHTTPServer((_HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{_HOST}:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
