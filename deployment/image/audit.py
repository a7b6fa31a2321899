"""Known flaws of what lock files install, as an advisory service knows them.

usage: python deployment/image/audit.py LOCK...

The exit code is 1 if there is a flaw, and 2 if any package could not be looked up:
what was not audited is not clean.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


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


def main(locks: Sequence[str]) -> int:
    """Audit each lock; the worst is the exit code."""
    codes = []
    for lock in locks:
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            [
                *(str(Path(sys.executable).with_name("pip-audit")), "-r", lock),
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
        codes.append(code)
        said = "; ".join(lines) or "no known flaw"
        sys.stdout.write(f"{lock}: {said}\n")
    return max(codes, default=2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
