"""A thread of its own: in order, timed, and never waited for at the end."""

import subprocess
import sys
import threading
import time

from credit_scoring.serving.own_thread import OwnThread


def test_calls_run_one_after_another_elsewhere() -> None:
    thread = OwnThread("test")
    seen: list[tuple[int, str]] = []
    done = threading.Event()
    for number in range(50):
        thread.run(
            lambda number=number: seen.append((number, threading.current_thread().name))
        )
    thread.run(done.set)
    assert done.wait(10)
    assert seen == [(number, "test") for number in range(50)]


def test_it_says_how_long_the_present_call_runs() -> None:
    thread = OwnThread("test")
    let_go, done = threading.Event(), threading.Event()
    assert thread.running_seconds() == 0.0
    thread.run(lambda: let_go.wait(10) and None)
    thread.run(done.set)
    time.sleep(0.1)
    assert 0.05 < thread.running_seconds() < 5
    let_go.set()
    assert done.wait(10)


def test_a_thread_that_hangs_does_not_keep_the_process() -> None:
    program = (
        "import time; from credit_scoring.serving.own_thread import OwnThread;"
        "OwnThread('x').run(lambda: time.sleep(600)); time.sleep(0.2)"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert done.returncode == 0
