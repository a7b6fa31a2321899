"""Known flaws of what lock files install, as an advisory service knows them.

usage: python deployment/image/audit.py LOCK... [--osv-url URL | --advisories PATH]

PyPI's own service is asked, or OSV's API at another address, or PATH: OSV's archive of
advisories, or a folder of them, without a network. The exit code is 1 if there is a
flaw, and 2 if any package could not be looked up: what was not audited is not clean.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from advisories import AdvisoriesError, answering, read_advisories


def verdict(report: dict[str, Any]) -> tuple[int, list[str]]:
    """Judge a report of pip-audit.

    Args:
        report: What ``pip-audit --format json`` writes.

    Returns:
        Exit code, and a line for each flaw and for what was left out.
    """
    lines: list[str] = []
    skipped: list[str] = []
    for package in report["dependencies"]:
        if "skip_reason" in package:
            skipped.append(f"{package['name']}: {package['skip_reason']}"[:200])
        lines += [
            f"{package['name']} {package['version']}: {flaw['id']}"
            for flaw in package.get("vulns", ())
        ]
    flawed = bool(lines)
    if skipped or not report["dependencies"]:
        why = f"; the first is {skipped[0]}" if skipped else ""
        total = len(report["dependencies"])
        lines.append(f"{len(skipped)} of {total} were not audited{why}")
    return (1 if flawed else 2 if len(lines) else 0), lines


def audit(lock: str, service: Sequence[str]) -> int:
    """Audit a lock, and say what was found; gives the exit code.

    Args:
        lock: Path of the lock file.
        service: Options of pip-audit that say whom to ask.
    """
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        [
            *(str(Path(sys.executable).with_name("pip-audit")), "-r", lock, *service),
            *("--require-hashes", "--disable-pip", "--progress-spinner", "off"),
            *("--format", "json"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        code, lines = verdict(json.loads(done.stdout))
    except ValueError:
        code, lines = 2, [done.stderr.strip()[-500:]]
    sys.stdout.write(f"{lock}: {'; '.join(lines) or 'no known flaw'}\n")
    return code


def main(arguments: Sequence[str]) -> int:
    """Audit each lock; the worst is the exit code."""
    parser = argparse.ArgumentParser(description="Known flaws of what locks install")
    parser.add_argument("locks", nargs="+", metavar="LOCK")
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument("--osv-url", help="of OSV's API, as a mirror offers it")
    whom.add_argument("--advisories", type=Path, help="OSV's archive, or a folder")
    asked = parser.parse_args(arguments)
    if asked.advisories is None:
        service = ["-s", "osv", "--osv-url", asked.osv_url] if asked.osv_url else []
        return max(audit(lock, service) for lock in asked.locks)
    try:
        known, newest = read_advisories(asked.advisories, datetime.now(UTC))
    except AdvisoriesError as error:
        sys.stdout.write(f"nothing was audited: {error}\n")
        return 2
    sys.stdout.write(f"advisories of {len(known)} packages, as of {newest:%Y-%m-%d}\n")
    with answering(known) as url:
        service = ["-s", "osv", "--osv-url", url]
        return max(audit(lock, service) for lock in asked.locks)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
