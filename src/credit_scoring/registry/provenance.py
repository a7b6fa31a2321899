"""Where a candidate comes from: the code's revision and the environment."""

import subprocess
from pathlib import Path

import credit_scoring
from credit_scoring.digests import sha256_of_file
from credit_scoring.registry.manifest import Provenance

UNKNOWN = "unknown"
_LOCK_FILE = "requirements.lock"
_REVISION_FILE = ".revision"
_TIMEOUT_S = 20


def project_folder() -> Path:
    """Find the checkout that this code runs from.

    An installed copy of the package has none: then it is a folder without git
    and lock file, and its provenance is unknown.
    """
    return Path(credit_scoring.__file__).parents[2]


def provenance_of(project: Path, data_digest: str) -> Provenance:
    """Say which data, code and environment a candidate is made of.

    Args:
        project: The checkout. It may be without git: then the revision is
            ``unknown``, as is the environment without a lock file.
        data_digest: SHA-256 of the raw data file.
    """
    revision, dirty = revision_of(project)
    lock = project / _LOCK_FILE
    return Provenance(
        data_digest=data_digest,
        git_revision=revision,
        git_dirty=dirty,
        environment_digest=sha256_of_file(lock) if lock.is_file() else UNKNOWN,
    )


def revision_of(project: Path) -> tuple[str, bool | None]:
    """Give the code's git revision, and whether tracked files differ from it.

    An image has no git, but a file that says what it was made of, without changes.
    Without either both are not known: ``unknown`` and None.
    """
    revision = status = None
    top = _git(project, "rev-parse", "--show-toplevel")
    # A checkout without git may lie inside somebody else's repository.
    if top is not None and Path(top).resolve() == project.resolve():
        revision = _git(project, "rev-parse", "HEAD")
        status = _git(project, "status", "--porcelain", "--untracked-files=no")
    written = project / _REVISION_FILE
    if revision is None and written.is_file():
        return written.read_text(encoding="utf-8").strip() or UNKNOWN, False
    dirty = bool(status) if revision and status is not None else None
    return revision or UNKNOWN, dirty


def _git(project: Path, *arguments: str) -> str | None:
    """Ask git; None if there is no git, no repository or no commit."""
    try:
        answer = subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", "-C", str(project), *arguments],  # noqa: S607 - git of the PATH
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
