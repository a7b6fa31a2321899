"""Whether there is something to pack after a promotion, and who was refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parents[3] / "deployment" / "airflow" / "roles_changed.py"
TO_PACK, NOTHING, FAILED = 0, 99, 1


def holder(digest: str) -> dict[str, Any]:
    return {"version": 1, "artifact_digest": digest}


def look(
    folder: Path, record: object, roles: object = None
) -> subprocess.CompletedProcess[str]:
    (folder / "record.json").write_text(json.dumps(record))
    if roles is not None:
        (folder / "current.json").write_text(json.dumps({"versions": roles}))
    files = [str(folder / "record.json"), str(folder / "current.json")]
    command = [sys.executable, str(SCRIPT), *files]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def record(*, challenger: str | None = None) -> dict[str, Any]:
    gates = [
        {"name": "minimum_auc", "passed": False, "why": "0.61 is below 0.70"},
        {"name": "latency", "passed": True, "why": "1 is within it"},
    ]
    return {
        "decision": "the champion stays",
        "champion": holder("a"),
        "challenger": holder(challenger) if challenger else None,
        "candidates": [{"family": "boosting", "version": 3, "gates": gates}],
    }


def test_what_was_never_packed_is_packed(tmp_path: Path) -> None:
    assert look(tmp_path, record()).returncode == TO_PACK


def test_another_challenger_is_packed(tmp_path: Path) -> None:
    packed = {"champion": holder("a"), "challenger": holder("b")}
    assert look(tmp_path, record(challenger="c"), packed).returncode == TO_PACK
    assert look(tmp_path, record(), packed).returncode == TO_PACK


def test_the_same_roles_are_not_packed_again(tmp_path: Path) -> None:
    done = look(tmp_path, record(), {"champion": holder("a")})
    assert done.returncode == NOTHING
    assert "nobody changed role" in done.stdout


def test_who_was_refused_is_said_with_the_gate(tmp_path: Path) -> None:
    said = look(tmp_path, record()).stdout
    assert "refused: boosting version 3: minimum_auc (0.61 is below 0.70)\n" in said
    assert "latency" not in said


def test_what_is_no_record_fails(tmp_path: Path) -> None:
    for wrong in ([], {}, {"candidates": [{}]}, "text"):
        done = look(tmp_path, wrong)
        assert done.returncode == FAILED
        assert "Traceback" not in done.stderr
    (tmp_path / "current.json").write_text("{")
    assert look(tmp_path, record()).returncode == FAILED
