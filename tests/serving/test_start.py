"""A start leaves the collector quiet and takes nothing from scipy."""

import gc
import subprocess
import sys

import pytest

from credit_scoring.serving.start import quick_start

PROGRAM = """
import sys
import numpy as np
from credit_scoring.decision.logistic import expit
from credit_scoring.serving.start import quick_start
with quick_start():
    assert expit(np.zeros(1))[0] == 0.5
assert not [name for name in sys.modules if name.startswith(("scipy.l", "scipy.s"))]
"""


@pytest.fixture(autouse=True)
def _thaw():
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_was_loaded_is_out_of_the_collectors_sight() -> None:
    before = gc.get_freeze_count()
    with quick_start():
        assert not gc.isenabled()
        kept = [[] for _ in range(1000)]
    assert gc.get_freeze_count() >= before + len(kept)
    assert gc.isenabled()


def test_the_collector_looks_seldom_afterwards() -> None:
    with quick_start():
        pass
    looks = []
    gc.callbacks.append(lambda phase, info: looks.append(phase))
    kept = [[] for _ in range(5_000)]
    gc.callbacks.pop()
    assert len(kept) == 5_000
    assert not looks


def test_a_start_that_fails_leaves_the_collector_on() -> None:
    with pytest.raises(ValueError, match="no model"), quick_start():
        raise ValueError("no model")
    assert gc.isenabled()


def test_numba_works_without_scipy() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=120)


def test_scipy_can_be_imported_afterwards() -> None:
    program = PROGRAM + "import scipy.linalg\n"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_scipy_that_is_there_already_stays() -> None:
    import scipy.linalg

    with quick_start():
        assert sys.modules["scipy.linalg"] is scipy.linalg
    assert sys.modules["scipy.linalg"] is scipy.linalg
