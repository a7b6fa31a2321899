"""A worker that must not serve ends the whole server, with the reason.

BentoML's supervisor starts a worker that has failed again every ten seconds, for
ever, and whoever started the server never learns of it. So the supervisor leaves its
number to its workers, and a file. A worker that is refused writes the reason there
and asks the supervisor to end; at its end the supervisor says the reason, with an
exit code that tells of failure.
"""

import atexit
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from credit_scoring.errors import CreditScoringError

EXIT_CODE = 1
# Not of the settings, which an operator sets.
_SUPERVISOR = "_CREDIT_SCORING_SUPERVISOR"
_REASON = "_CREDIT_SCORING_REFUSAL"


def heed_refusals(
    environment: MutableMapping[str, str],
    *,
    at_exit: Callable[[Callable[[], None]], Any] = atexit.register,
) -> None:
    """Let this process, the supervisor, end as its workers say; once is enough.

    Args:
        environment: Its workers inherit it.
        at_exit: Takes what is to be done when the process ends.
    """
    if environment.get(_SUPERVISOR) == str(os.getpid()):
        return
    folder = Path(tempfile.mkdtemp(prefix="credit_scoring-"))
    environment[_SUPERVISOR] = str(os.getpid())
    environment[_REASON] = str(folder / "refusal.txt")
    at_exit(lambda: _end(folder))


@contextmanager
def ending_the_server() -> Iterator[None]:
    """End the server if what is done in this block is refused."""
    try:
        yield
    except CreditScoringError as error:
        refuse(str(error))
        raise


def refuse(reason: str) -> None:
    """Ask the supervisor of this worker to end; without one nothing is done.

    Args:
        reason: What the supervisor says at its end.
    """
    supervisor, path = os.environ.get(_SUPERVISOR), os.environ.get(_REASON)
    # The number may be another process's by now, unless it is our parent's.
    if path is None or supervisor != str(os.getppid()):
        return
    with suppress(OSError):
        Path(path).write_text(reason, encoding="utf-8")
    os.kill(os.getppid(), signal.SIGTERM)


def _end(folder: Path) -> None:
    """Say the reason, if there is one, and fail."""
    reasons = [path.read_text(encoding="utf-8") for path in folder.glob("*.txt")]
    shutil.rmtree(folder, ignore_errors=True)
    if not reasons:
        return
    sys.stderr.write(f"Error: the service is stopped: {reasons[0]}\n")
    sys.stdout.flush()
    sys.stderr.flush()
    # Whatever ends a process after SIGTERM in an orderly way ends it with 0.
    os._exit(EXIT_CODE)
