"""A worker that is refused ends its supervisor, and nobody else."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from credit_scoring.errors import ArtifactError
from credit_scoring.serving.refusal import ending_the_server, heed_refusals

# A supervisor with a worker of its own, which does what the argument says.
PROGRAM = """
import os, signal, subprocess, sys, threading
from credit_scoring.errors import ArtifactError
from credit_scoring.serving.refusal import ending_the_server, heed_refusals
if sys.argv[1] == "worker":
    with ending_the_server():
        if sys.argv[2] == "refused":
            raise ArtifactError("altered (SHA-256 differs): policy.json")
        if sys.argv[2] == "fails":
            raise ZeroDivisionError
    sys.exit(0)
ended = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ended.set())
heed_refusals(os.environ)
heed_refusals(os.environ)
worker = subprocess.run(
    [sys.executable, __file__, "worker", sys.argv[1]], stderr=subprocess.DEVNULL
)
print("worker", worker.returncode, ended.wait(5 if sys.argv[1] == "refused" else 0.1))
print(os.path.exists(os.path.dirname(os.environ["_CREDIT_SCORING_REFUSAL"])))
"""


def supervised(worker: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = folder / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    return subprocess.run(
        [sys.executable, program, worker],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "TMPDIR": str(folder)},
    )


def test_a_refused_worker_ends_its_supervisor_with_the_reason(tmp_path: Path) -> None:
    done = supervised("refused", tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["worker 1 True", "True"]
    assert done.stderr == (
        "Error: the service is stopped: altered (SHA-256 differs): policy.json\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["program.py"]


@pytest.mark.parametrize(("worker", "code"), [("fine", 0), ("fails", 1)])
def test_other_workers_end_alone(tmp_path: Path, worker: str, code: int) -> None:
    done = supervised(worker, tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [f"worker {code} False", "True"]
    assert done.stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == ["program.py"]


@pytest.mark.parametrize("supervisor", [None, "1", "grandparent"])
def test_without_a_supervisor_as_parent_nobody_is_told(
    monkeypatch: pytest.MonkeyPatch, supervisor: str | None, tmp_path: Path
) -> None:
    def kill(*arguments: int) -> None:
        raise AssertionError(arguments)

    monkeypatch.setattr(os, "kill", kill)
    # An orphan's parent may be the machine's first process.
    monkeypatch.setattr(os, "getppid", lambda: 4242)
    if supervisor is not None:
        monkeypatch.setenv("_CREDIT_SCORING_SUPERVISOR", supervisor)
        monkeypatch.setenv("_CREDIT_SCORING_REFUSAL", str(tmp_path / "refusal.txt"))
    with pytest.raises(ArtifactError, match="altered"), ending_the_server():
        raise ArtifactError("altered")
    assert not list(tmp_path.iterdir())


def test_the_parent_is_told_though_the_reason_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: told.append((pid, number)))
    monkeypatch.setenv("_CREDIT_SCORING_SUPERVISOR", str(os.getppid()))
    monkeypatch.setenv("_CREDIT_SCORING_REFUSAL", str(tmp_path / "gone" / "x.txt"))
    with pytest.raises(ArtifactError, match="altered"), ending_the_server():
        raise ArtifactError("altered")
    assert told == [(os.getppid(), signal.SIGTERM)]


def test_the_end_says_a_reason_or_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    for reason in (None, "altered: policy.json"):
        ends: list[Callable[[], None]] = []
        environment: dict[str, str] = {}
        heed_refusals(environment, at_exit=ends.append)
        path = Path(environment["_CREDIT_SCORING_REFUSAL"])
        if reason is not None:
            path.write_text(reason, encoding="utf-8")
        ends[0]()
        assert not path.parent.exists()
    assert codes == [1]
    assert capsys.readouterr().err == (
        "Error: the service is stopped: altered: policy.json\n"
    )
