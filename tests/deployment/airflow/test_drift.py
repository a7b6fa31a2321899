"""When drift is told, so that models are trained anew."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "deployment" / "airflow" / "drift.py"
TOLD, NOTHING, FAILED = 0, 99, 1


def told(folder: Path, *words: str) -> int:
    command = [sys.executable, str(SCRIPT), str(folder), *words]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.returncode


def alert(*subjects: str) -> dict[str, object]:
    found = [{"subject": one, "verdict": "alert"} for one in subjects]
    return {"verdict": "alert", "findings": found}


def say(folder: Path, content: object) -> None:
    (folder / "summary.json").write_text(json.dumps(content))


@pytest.mark.parametrize("verdict", ["ok", "warn", "insufficient"])
def test_without_an_alert_nothing_is_told(tmp_path: Path, verdict: str) -> None:
    say(tmp_path, {"verdict": verdict})
    assert told(tmp_path) == NOTHING
    assert not (tmp_path / "drift_told").exists()


def test_drift_is_told_once_and_again_after_a_rest(tmp_path: Path) -> None:
    say(tmp_path, alert("score_drift", "decision_log"))
    assert [told(tmp_path), told(tmp_path)] == [TOLD, NOTHING]
    week_ago = time.time() - 7.1 * 86400
    os.utime(tmp_path / "drift_told", (week_ago, week_ago))
    assert told(tmp_path, "--rest-days", "8") == NOTHING
    assert [told(tmp_path), told(tmp_path)] == [TOLD, NOTHING]


@pytest.mark.parametrize("subject", ["decision_log", "not_computed", "fairness_sex"])
def test_what_new_models_do_not_mend_is_no_drift(tmp_path: Path, subject: str) -> None:
    say(tmp_path, alert(subject))
    assert told(tmp_path) == NOTHING
    assert not (tmp_path / "drift_told").exists()


def test_the_services_own_setting_goes_before_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    say(tmp_path / "there", alert("calibration"))
    say(tmp_path, {"verdict": "ok"})
    monkeypatch.setenv("CREDIT_SCORING_MONITORING_DIR", str(tmp_path / "there"))
    assert told(tmp_path) == TOLD


@pytest.mark.parametrize(
    "content", [{}, [], {"verdict": "fine"}, {"verdict": None}, {"verdict": "alert"}]
)
def test_silence_is_not_taken_for_calm(tmp_path: Path, content: object) -> None:
    assert told(tmp_path) == FAILED
    say(tmp_path, content)
    assert told(tmp_path) == FAILED
