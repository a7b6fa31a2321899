"""The live window: what is in it, by time, by number, and of several workers."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from credit_scoring.monitoring.bins import ReferenceBins
from credit_scoring.registry.reference import reference_distributions
from credit_scoring.serving.live_window import Counted, LiveWindow, WindowLimits

SCORE = np.arange(400.0, 500.0)
FEATURES = np.arange(100.0)[:, None]
MINUTE = 60.0


@pytest.fixture
def bins() -> ReferenceBins:
    reference = reference_distributions(SCORE, FEATURES, ("size",))
    return ReferenceBins.of_reference(reference, ("size",))


class Clock:
    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def rows(count: int, score: float = 410.0) -> np.ndarray:
    return np.tile([score, 5.0], (count, 1))


def test_it_sums_what_was_counted(bins: ReferenceBins, clock: Clock) -> None:
    window = LiveWindow(bins, WindowLimits(60, 1000), folder=None, clock=clock)
    assert window.total()[:3] == (0, None, None)
    window.add(np.column_stack([SCORE, FEATURES]))
    total = window.total()
    assert total[:3] == (100, clock.now, clock.now)
    assert (total.counts == bins.expected).all()


def test_what_is_older_than_the_window_goes_out(
    bins: ReferenceBins, clock: Clock
) -> None:
    window = LiveWindow(bins, WindowLimits(16, 10**6), folder=None, clock=clock)
    for _ in range(100):
        window.add(rows(1))
        clock.now += MINUTE
    # A pane is a minute; the one whose last decision was 16 minutes ago is in it.
    assert window.total().rows == 16
    clock.now += 60 * MINUTE
    assert window.total().rows == 0
    window.add(rows(3))
    assert window.total().rows == 3


def test_it_is_the_newest_decisions_where_there_are_many(
    bins: ReferenceBins, clock: Clock
) -> None:
    window = LiveWindow(bins, WindowLimits(60, 160), folder=None, clock=clock)
    for score in (410.0, 490.0):
        for _ in range(100):
            window.add(rows(10, score))
            clock.now += 0.1
    total = window.total()
    assert total.rows == 160
    # Whoever came before the last 160 is not in it.
    assert total.counts[0].tolist() == [0] * 9 + [160, 0]


def test_workers_see_one_sum(bins: ReferenceBins, clock: Clock, tmp_path: Path) -> None:
    limits = WindowLimits(60, 1000)
    first, second = (
        LiveWindow(bins, limits, folder=tmp_path, clock=clock) for _ in range(2)
    )
    first.add(rows(30))
    second.add(rows(12, 490.0))
    for window in (first, second, first):
        total = window.total()
        assert total.rows == 42
        assert total.counts[0].tolist() == [0, 30, 0, 0, 0, 0, 0, 0, 0, 12, 0]
    second.add(rows(1))
    assert first.total().rows == 43


def test_the_newest_are_taken_of_all_workers(
    bins: ReferenceBins, clock: Clock, tmp_path: Path
) -> None:
    limits = WindowLimits(60, 160)
    early, late = (
        LiveWindow(bins, limits, folder=tmp_path, clock=clock) for _ in range(2)
    )
    for _ in range(16):
        early.add(rows(10))
    clock.now += MINUTE
    for _ in range(16):
        late.add(rows(10, 490.0))
    assert early.total().counts[0, 9] == early.total().rows == 160


def ended() -> int:
    """Number of a process that is gone."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def of_a_dead_worker(folder: Path) -> Path:
    (path,) = folder.glob("*.panes")
    return path.rename(folder / f"live_window_{ended()}_1.panes")


def test_what_a_killed_worker_decided_stays_until_it_is_old(
    bins: ReferenceBins, clock: Clock, tmp_path: Path
) -> None:
    limits = WindowLimits(60, 1000)
    LiveWindow(bins, limits, folder=tmp_path, clock=clock).add(rows(5))
    left = of_a_dead_worker(tmp_path)
    alive = LiveWindow(bins, limits, folder=tmp_path, clock=clock)
    assert alive.total().rows == 5
    clock.now += 61 * MINUTE
    assert alive.total().rows == 0
    assert not left.exists()


def test_a_pane_that_was_left_half_written_is_not_counted(
    bins: ReferenceBins, clock: Clock, tmp_path: Path
) -> None:
    limits = WindowLimits(60, 1000)
    killed = LiveWindow(bins, limits, folder=tmp_path, clock=clock)
    killed.add(rows(5))
    killed._panes["sequence"][0] += 1
    other = LiveWindow(bins, limits, folder=tmp_path, clock=clock)
    other.add(rows(7))
    assert other.total().rows == 7


def test_counts_of_another_model_are_left_alone(
    bins: ReferenceBins, clock: Clock, tmp_path: Path
) -> None:
    other = ReferenceBins.of_reference(
        reference_distributions(SCORE + 1, FEATURES, ("size",)), ("size",)
    )
    limits = WindowLimits(60, 1000)
    LiveWindow(other, limits, folder=tmp_path, clock=clock).add(rows(5))
    (theirs,) = tmp_path.glob("*.panes")
    ours = LiveWindow(bins, limits, folder=tmp_path, clock=clock)
    assert ours.total().rows == 0
    assert theirs.exists()
    gone = theirs.rename(tmp_path / f"live_window_{ended()}_2.panes")
    (tmp_path / "live_window_x_3.panes").write_bytes(b"no panes")
    assert ours.total().rows == 0
    assert not gone.exists()


def test_a_folder_that_is_gone_leaves_a_worker_its_own(
    bins: ReferenceBins, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    window = LiveWindow(bins, WindowLimits(60, 1000), folder=tmp_path / "nowhere")
    window.add(rows(2))
    assert isinstance(window.total(), Counted)
    assert window.total().rows == 2
    assert "not shared: No such file or directory" in caplog.text
    assert os.listdir(tmp_path) == []
