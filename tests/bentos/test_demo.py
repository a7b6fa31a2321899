"""The demo against a real server: it shows a decision and leaves nothing behind."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from credit_scoring.demo import BODY

pytestmark = pytest.mark.end_to_end

DEMO = [sys.executable, "-m", "credit_scoring.demo"]


def descendants(folder: Path) -> list[psutil.Process]:
    """Processes that work for a demo in this folder."""
    found = []
    for process in psutil.process_iter(["environ"]):
        if (process.info["environ"] or {}).get("DEMO_OF_TEST") == str(folder):
            found.append(process)
    return found


@pytest.fixture
def marked(released: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project folder, with its name in the environment of what is started."""
    monkeypatch.setenv("DEMO_OF_TEST", str(released))
    return released


def test_a_real_decision_is_shown_with_its_reasons(marked: Path) -> None:
    done = subprocess.run(
        DEMO, cwd=marked, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for expected in (
        "DECLINE",
        "higher is safer; approved from 520, declined below 480",
        "probability of default",
        "credit_scoring version 1, champion",
        "make serve",
        "curl -s http://127.0.0.1:3000/predict",
    ):
        assert expected in done.stdout
    assert json.loads((marked / BODY).read_bytes())["loan_id"].startswith("T-")
    assert not descendants(marked)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(marked: Path, number: int) -> None:
    demo = subprocess.Popen(
        DEMO, cwd=marked, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    while len(descendants(marked)) < 3 and demo.poll() is None:
        time.sleep(0.1)
    demo.send_signal(number)
    output = demo.communicate(timeout=60)[0].decode()
    assert demo.returncode == 128 + number, output
    assert "Traceback" not in output
    assert not descendants(marked)


def test_without_a_release_the_demo_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        DEMO, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "run `kedro run` first" in " ".join(done.stdout.split())


def test_a_missing_bento_ends_the_demo_with_the_servers_words(marked: Path) -> None:
    release = marked / "bentos" / "releases" / "current.json"
    release.write_text('{"bento": "credit_scoring:notthere"}')
    done = subprocess.run(
        DEMO, cwd=marked, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "ended with exit code" in " ".join(done.stdout.split())
    assert "notthere" in done.stdout
