"""Tell whether a promotion changed a role, and whom the gates refused.

usage: python roles_changed.py RECORD RELEASE

RECORD is the promotion's, RELEASE the last that was packed, if any was. Exit code 0 if
there is something to pack: champion or challenger is another than there; 99 if there is
not; 1 if that cannot be told.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

NOTHING = 99
_ROLES = ("champion", "challenger")


def refusals(record: dict[str, Any]) -> Iterator[str]:
    """Say of each candidate that was refused which gates it did not pass."""
    for candidate in record["candidates"]:
        gates = [
            f"{gate['name']} ({gate['why']})"
            for gate in candidate["gates"]
            if not gate["passed"]
        ]
        if gates:
            who = f"{candidate['family']} version {candidate['version']}"
            yield f"refused: {who}: {'; '.join(gates)}"


def roles(holders: dict[str, Any]) -> dict[str, str | None]:
    """Give the digest of the artifact in each role."""
    return {
        role: holders[role]["artifact_digest"] if holders.get(role) else None
        for role in _ROLES
    }


def packed_roles(release: Path) -> dict[str, str | None] | None:
    """Give the roles of a release; None if there is none yet."""
    if not release.exists():
        return None
    return roles(json.loads(release.read_bytes())["versions"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Look, and print what was refused; give the exit code."""
    parser = argparse.ArgumentParser(description="Is there something to pack?")
    parser.add_argument("record", type=Path)
    parser.add_argument("release", type=Path)
    asked = parser.parse_args(arguments)
    try:
        record = json.loads(asked.record.read_bytes())
        said = [*refusals(record), f"decision: {record['decision']}"]
        changed = roles(record) != packed_roles(asked.release)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (KeyError, TypeError, AttributeError) as error:
        sys.stderr.write(f"not a record of promotion: {type(error).__name__} {error}\n")
        return 1
    if not changed:
        said.append("nobody changed role: there is nothing to pack")
    sys.stdout.write("\n".join(said) + "\n")
    return 0 if changed else NOTHING


if __name__ == "__main__":
    sys.exit(main())
