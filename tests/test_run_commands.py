import shlex
import sys
from pathlib import Path

import pytest
from kedro.pipeline import Node, Pipeline

from credit_scoring import run_commands
from credit_scoring.run_commands import first_unfinished, kedro, run_command


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_commands, "kedro", lambda: "kedro")


def test_a_plain_run_is_two_words() -> None:
    run = {"env": "local", "runner": "SequentialRunner", "tags": (), "from_nodes": None}
    assert run_command(run) == "kedro run"


def test_all_that_was_asked_for_is_asked_for_again() -> None:
    run = {
        "env": "test",
        "pipeline_names": ["training", "evaluation"],
        "tags": ("boosting",),
        "to_nodes": ["boosting.predict"],
        "runner": "<kedro.runner.thread_runner.ThreadRunner object at 0x7f>",
        "runtime_params": {"boosting": {"n_trials": 3}, "note": "a b"},
    }
    assert shlex.split(run_command(run)) == [
        "kedro",
        "run",
        "--env=test",
        "--pipelines=evaluation,training",
        "--tags=boosting",
        "--to-nodes=boosting.predict",
        "--runner=ThreadRunner",
        "--params=boosting.n_trials=3,note=a b",
    ]


def test_the_sequential_runner_needs_no_word() -> None:
    runner = "<kedro.runner.sequential_runner.SequentialRunner object at 0x7f>"
    assert run_command({"runner": runner}) == "kedro run"


def test_another_start_takes_the_place_of_the_first() -> None:
    run = {"from_nodes": ["a"], "to_nodes": ["z"]}
    start = ["boosting.calibrate", "scorecard.calibrate"]
    assert run_command(run, start=start) == (
        "kedro run --to-nodes=z --from-nodes=boosting.calibrate,scorecard.calibrate"
    )


def nothing(*given: object) -> object:
    return given


def test_a_run_goes_on_from_where_all_that_is_open_is_reached() -> None:
    pipeline = Pipeline(
        [
            Node(nothing, "raw", "rows", name="read"),
            Node(nothing, "rows", "left", name="left"),
            Node(nothing, "rows", "right", name="right"),
            Node(nothing, ["left", "right"], "both", name="join"),
            Node(nothing, "both", None, name="check"),
        ]
    )
    assert first_unfinished(pipeline, {"read", "right"}) == ["left"]
    assert first_unfinished(pipeline, {"read"}) == ["left", "right"]
    assert first_unfinished(pipeline, {"read", "left", "right", "join"}) == ["check"]
    start = first_unfinished(pipeline, {"read", "right"})
    again = {node.name for node in pipeline.from_nodes(*start).nodes}
    assert again == {"left", "join", "check"}


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("on the path", "kedro"),
        ("below", ".venv/bin/kedro"),
        ("elsewhere", "'{folder}/else where/kedro'"),
        ("nowhere", "{python} -m kedro"),
    ],
)
def test_kedro_is_named_as_it_can_be_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, expected: str
) -> None:
    project = tmp_path / "project"
    folder = project / ".venv/bin"
    if place == "elsewhere":
        folder = tmp_path / "else where"
    folder.mkdir(parents=True)
    project.mkdir(exist_ok=True)
    if place != "nowhere":
        (folder / "kedro").touch(mode=0o755)
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", str(folder) if place == "on the path" else "/none")
    python = shlex.quote(sys.executable)
    assert kedro() == expected.format(folder=tmp_path, python=python)
