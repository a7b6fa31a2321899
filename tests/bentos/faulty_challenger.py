"""A Bento whose challenger breaks while it runs, as a file says."""

import json
import shutil
from pathlib import Path

from credit_scoring.registry.bento_build import build_bento

VARIABLE = "CHALLENGER_FAULT"

# Behind the service's own definition; everything else is as it is shipped.
ADDED = '''

import functools
import signal
import time


def _fault():
    return Path(os.environ["CHALLENGER_FAULT"]).read_text()


def _break(engine):
    """Let the model itself raise, hang, or take its process with it."""
    decide = engine.decide_rows

    @functools.wraps(decide)
    def broken(*arguments, **options):
        while _fault() == "hangs":
            time.sleep(0.02)
        if _fault() == "raises":
            raise ZeroDivisionError
        if _fault() == "crashes":
            os.kill(os.getpid(), signal.SIGKILL)
        return decide(*arguments, **options)

    engine.decide_rows = broken


def _in_the_worker(start):
    def started(self):
        from credit_scoring.serving import assembly

        make = assembly._runner

        def runner(artifact, registered, role, decoder):
            if role == "challenger":
                _break(artifact.engine)
            return make(artifact, registered, role, decoder)

        assembly._runner = runner
        start(self)

    return started


def _in_its_service(start):
    def started(self):
        start(self)
        _break(self.app._engine)

    return started


CreditScoring.inner.__init__ = _in_the_worker(CreditScoring.inner.__init__)
ChallengerRunner.inner.__init__ = _in_its_service(ChallengerRunner.inner.__init__)
'''


def faulty_bento(project: Path, folder: Path) -> str:
    """Build a Bento of a project's models with a challenger that can break.

    Args:
        project: Holds ``bentofile.yaml`` and ``bentos/`` with ``models.json``.
        folder: Takes a copy; must not exist.

    Returns:
        The Bento's tag.
    """
    skipped = shutil.ignore_patterns("releases", "__pycache__")
    shutil.copytree(project / "bentos", folder / "bentos", ignore=skipped)
    shutil.copy(project / "bentofile.yaml", folder)
    service = folder / "bentos" / "service.py"
    service.write_text(service.read_text(encoding="utf-8") + ADDED, encoding="utf-8")
    models, record = (
        json.loads((folder / "bentos" / name).read_bytes())
        for name in ("models.json", "promotion_record.json")
    )
    return build_bento(folder / "bentos", models, record)
