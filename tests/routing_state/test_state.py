import json
import threading
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from credit_scoring.errors import RoutingStateError
from credit_scoring.routing_state.__main__ import main
from credit_scoring.routing_state.state import (
    FILE,
    change_state,
    read_history,
    read_state,
)

AT = datetime(2026, 11, 1, 8, tzinfo=UTC)


def test_without_a_file_the_routing_is_as_configured(tmp_path: Path) -> None:
    state = read_state(tmp_path / "nowhere")
    assert (state.overridden, state.since) == (False, None)


def test_an_override_holds_until_somebody_clears_it(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    change_state(folder, "override", why=" it broke ", who="guard", clock=lambda: AT)
    state = read_state(folder)
    assert state.overridden
    assert (state.why, state.since) == ("it broke", "2026-11-01T08:00:00.000+00:00")
    change_state(folder, "cleared", why="mended", who="ada")
    assert not read_state(folder).overridden
    kinds = [(entry["kind"], entry["who"]) for entry in read_history(folder)]
    assert kinds == [("override", "guard"), ("cleared", "ada")]


def test_what_holds_already_is_not_said_twice(tmp_path: Path) -> None:
    first = change_state(tmp_path, "override", why="a", who="guard")
    assert change_state(tmp_path, "override", why="b", who="guard") == first
    assert len(read_history(tmp_path)) == 1


@pytest.mark.parametrize("why", ["", "  \n"])
def test_a_change_without_a_reason_is_refused(tmp_path: Path, why: str) -> None:
    with pytest.raises(RoutingStateError, match="for a reason"):
        change_state(tmp_path, "cleared", why=why, who="ada")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is no JSON"),
        (b'[{"kind": "cle', "is no JSON"),
        (b"{}", "not a list of entries"),
        (b"[]", "not a list of entries"),
        (b"[1]", "entry 1 was altered"),
        (b'[{"kind": "cleared"}]', "entry 1 was altered"),
        (
            b'[{"kind":"cleared","why":NaN,"who":"","at":"","previous":null,'
            b'"digest":""}]',
            "entry 1 was altered",
        ),
    ],
)
def test_what_cannot_be_believed_is_an_override(
    tmp_path: Path, content: bytes, fault: str
) -> None:
    (tmp_path / FILE).write_bytes(content)
    state = read_state(tmp_path)
    assert state.overridden
    assert fault in state.why


def test_an_entry_that_was_altered_or_removed_is_an_override(tmp_path: Path) -> None:
    for kind in ("override", "cleared"):
        change_state(tmp_path, kind, why="w", who="ada")  # type: ignore[arg-type]
    entries = json.loads((tmp_path / FILE).read_text())
    for changed in (
        [entries[0] | {"kind": "cleared"}],
        entries[1:],
        [entries[1], entries[0]],
    ):
        (tmp_path / FILE).write_text(json.dumps(changed))
        assert read_state(tmp_path).overridden
    (tmp_path / FILE).write_text(json.dumps(entries))
    assert not read_state(tmp_path).overridden


def test_a_person_clears_what_cannot_be_believed_and_it_is_kept(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("half wri")
    change_state(tmp_path, "cleared", why="looked at it", who="ada")
    assert not read_state(tmp_path).overridden
    first, second = read_history(tmp_path)
    assert first["kind"] == "override"
    assert "is no JSON; put aside as routing.json." in first["why"]
    assert second["why"] == "looked at it"
    (aside,) = tmp_path.glob("routing.json.2*")
    assert aside.read_text() == "half wri"


def test_a_folder_that_is_a_file_says_so(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("")
    assert read_state(place).overridden
    with pytest.raises(RoutingStateError, match="cannot be written: File exists"):
        change_state(place, "override", why="w", who="ada")


def test_many_who_change_it_at_once_leave_one_chain(tmp_path: Path) -> None:
    def change(kind: str) -> None:
        for number in range(10):
            change_state(tmp_path, kind, why=str(number), who=kind)  # type: ignore[arg-type]

    threads = [
        threading.Thread(target=change, args=(kind,))
        for kind in ("override", "cleared") * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = read_history(tmp_path)
    kinds = [entry["kind"] for entry in entries]
    assert all(one != other for one, other in pairwise(kinds))


def test_the_command_shows_clears_and_overrides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = {"CREDIT_SCORING_ROUTING_DIR": str(tmp_path), "CREDIT_SCORING_ACTOR": "ada"}
    assert main(["--to", "champion", "--why", "it drifts"], place) == 0
    assert "The champion decides on everybody." in capsys.readouterr().out
    assert read_state(tmp_path).overridden
    assert main([], place) == 0
    assert "it drifts" in capsys.readouterr().out
    assert main(["--why", "mended"], place) == 0
    assert "The routing is as" in capsys.readouterr().out
    (tmp_path / FILE).write_text("?")
    assert main([], place) == 0
    assert "is no JSON" in capsys.readouterr().out
    file = tmp_path / "file"
    file.write_text("")
    assert main(["--why", "w"], {"CREDIT_SCORING_ROUTING_DIR": str(file)}) == 1
