"""An override of the routing: heeded by two real workers, and after a restart."""

import os
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from credit_scoring.decision_log.reader import read_decisions
from credit_scoring.routing_state.state import change_state
from credit_scoring.serving.local_server import LocalServer

from .test_routing import asked_alone, asked_together, decided_by

pytestmark = [pytest.mark.end_to_end]

Row = dict[str, Any]
SECOND = timedelta(seconds=1)


def roles_after(folder: Path, moment: datetime) -> dict[str, set[str]]:
    """Who decided after a moment, by the worker that wrote it."""
    roles: dict[str, set[str]] = {}
    for one in read_decisions(folder):
        if one.entry.scored_at > moment:
            worker = one.segment.split("-")[1]
            roles.setdefault(worker, set()).add(one.entry.model.role)
    return roles


def ask_until_both(url: str, rows: list[Row], folder: Path, moment: datetime) -> None:
    """Ask until two workers have decided after a moment."""
    deadline = time.monotonic() + 60
    while len(roles_after(folder, moment)) < 2:
        asked_alone(url, rows)
        asked_together(url, rows)
        assert time.monotonic() < deadline


def test_an_override_holds_on_each_worker_and_after_a_restart_until_it_is_cleared(
    bento: str, applications: list[Row], tmp_path: Path
) -> None:
    folder, state = tmp_path / "decisions", tmp_path / "routing"
    environment = {
        "CREDIT_SCORING_WORKERS": "2",
        "CREDIT_SCORING_ROUTING": "split",
        "CREDIT_SCORING_CHALLENGER_SHARE": "1",
        "CREDIT_SCORING_CHALLENGER_TIMEOUT_MS": "10000",
        "CREDIT_SCORING_DECISION_LOG_DIR": str(folder),
        "CREDIT_SCORING_ROUTING_DIR": str(state),
    }
    rows = applications[:20]
    with LocalServer(bento, tmp_path / "log").running(environment=environment) as url:
        began = datetime.fromtimestamp(0).astimezone()
        ask_until_both(url, rows, folder, began)
        assert roles_after(folder, began).popitem()[1] == {"challenger"}

        entry = change_state(state, "override", why="it broke", who="guard")
        heeded = datetime.fromisoformat(entry["at"]) + SECOND
        ask_until_both(url, rows, folder, heeded)
        assert set.union(*roles_after(folder, heeded).values()) == {"champion"}
        assert "credit_scoring_routing_override 1.0" in httpx.get(f"{url}/metrics").text
        # The log says who was drawn, as ever.
        assert {one.entry.arm for one in read_decisions(folder)} == {"challenger"}

    restarted = datetime.now().astimezone()
    with LocalServer(bento, tmp_path / "again").running(environment=environment) as url:
        ask_until_both(url, rows, folder, restarted)
        assert set.union(*roles_after(folder, restarted).values()) == {"champion"}

        command = [sys.executable, "-m", "credit_scoring.routing_state"]
        done = subprocess.run(
            [*command, "--why", "mended"],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"CREDIT_SCORING_ROUTING_DIR": str(state)},
        )
        assert "it broke" in done.stdout
        cleared = datetime.now().astimezone() + SECOND
        ask_until_both(url, rows, folder, cleared)
        assert set.union(*roles_after(folder, cleared).values()) == {"challenger"}
    assert len(decided_by(folder)) == 4
