import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import DataCatalog, DatasetError, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner, ThreadRunner
from kedro_datasets.json import JSONDataset

from credit_scoring import hooks
from credit_scoring.errors import ContractError, RunError
from credit_scoring.hooks import RunReportHooks, readable_name
from credit_scoring.run_marks import UnfinishedMarks

RUN = {"runner": "SequentialRunner"}


def refuse(rows: Any) -> Any:
    raise ContractError("2 of 3 rows break the contract")


def break_down(rows: Any) -> Any:
    raise ZeroDivisionError("a bug")


def keep(rows: Any) -> Any:
    return rows


class Project:
    """Runs three nodes with the hooks, as a session does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hooks = RunReportHooks()
        self.marks = UnfinishedMarks(folder)
        settings = {"globals": {"data": "."}}
        context = SimpleNamespace(project_path=folder, config_loader=settings)
        self.hooks.after_context_created(context)
        self.catalog = DataCatalog({"rows": MemoryDataset([1, 2])})
        for name in ("kept", "accepted", "made"):
            self.catalog[name] = JSONDataset(filepath=str(folder / f"{name}.json"))

    def pipeline(self, second: Callable[[Any], Any]) -> Pipeline:
        return Pipeline(
            [
                Node(keep, "rows", "kept", name="keep", tags="ingestion"),
                Node(second, "kept", "accepted", name="accept", tags="validation"),
                Node(keep, "accepted", "made", name="make", tags="training"),
                Node(lambda made: None, "made", None, name="check", tags="training"),
            ]
        )

    def run(self, pipeline: Pipeline, runner: Any = None) -> None:
        manager = _create_hook_manager()
        manager.register(self.hooks)
        self.hooks.before_pipeline_run(RUN, pipeline, self.catalog)
        try:
            (runner or SequentialRunner()).run(pipeline, self.catalog, manager)
        except Exception as error:
            self.hooks.on_pipeline_error(error, RUN, pipeline)
            raise
        self.hooks.after_pipeline_run(pipeline)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    return Project(tmp_path)


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The lines that a person reads."""
    monkeypatch.setattr(logging.getLogger("credit_scoring"), "propagate", True)
    caplog.set_level(logging.INFO, "credit_scoring")
    return lambda: [r.getMessage() for r in caplog.records if "credit_s" in r.name]


@pytest.mark.parametrize("runner", [SequentialRunner, ThreadRunner])
def test_each_node_is_counted_and_the_run_is_closed(
    project: Project, said: Any, runner: type
) -> None:
    project.run(project.pipeline(keep), runner())
    lines = said()
    assert [line.partition("  ")[0] for line in lines[:4]] == [
        "[1/4] ingestion: keep",
        "[2/4] validation: accept",
        "[3/4] training: make",
        "[4/4] training: check",
    ]
    assert all(line.endswith(" s") for line in lines[:4])
    assert lines[-1].splitlines()[-1].startswith("Done in ")
    assert project.marks.among({"kept", "accepted", "made"}) == {}


class SlowDataset(MemoryDataset):
    """Does its work while it is written, as a folder of pictures does."""

    def save(self, data: Any) -> None:
        time.sleep(0.1)
        super().save(data)


def test_what_is_done_while_writing_is_told(
    project: Project, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "DELAY_S", 0.05)
    project.catalog["accepted"] = SlowDataset()
    project.run(project.pipeline(keep))
    told = [line for line in said() if "validation: accept, written" in line]
    assert len(told) == 1
    assert float(told[0].split()[-2]) >= 0.1


@pytest.mark.parametrize("runner", [SequentialRunner, ThreadRunner])
def test_a_refusal_says_which_node_why_and_what_next(
    project: Project, said: Any, runner: type
) -> None:
    with pytest.raises(ContractError):
        project.run(project.pipeline(refuse), runner())
    text = said()[-1]
    assert "Stopped at node accept while it ran." in text
    assert "It reads:  kept" in text
    assert "Reason:    2 of 3 rows break the contract" in text
    assert "kedro run --from-nodes=accept\n" in text
    assert "Not made:  2 (accepted, made)" in text


def test_what_a_refused_run_did_not_make_is_not_read_from_an_earlier_run(
    project: Project, said: Any
) -> None:
    project.run(project.pipeline(keep))
    with pytest.raises(ContractError):
        project.run(project.pipeline(refuse))
    later = project.pipeline(keep).only_nodes("make")
    with pytest.raises(RunError, match=r"accepted would be read as an earlier run"):
        project.run(later)
    project.run(project.pipeline(keep).from_nodes("accept"))
    project.run(later)


def test_a_failure_of_the_first_node_is_begun_again(
    project: Project, said: Any
) -> None:
    project.catalog["rows"] = JSONDataset(filepath=str(project.folder / "rows.json"))
    (project.folder / "rows.json").write_text("{")
    with pytest.raises(DatasetError):
        project.run(project.pipeline(keep))
    text = said()[-1]
    assert "Stopped at node keep while reading rows." in text
    assert "JSONDecodeError" in text
    assert "--from-nodes" not in text


def test_a_result_that_cannot_be_written_is_named(project: Project, said: Any) -> None:
    with pytest.raises(DatasetError):
        project.run(project.pipeline(lambda rows: object()))
    assert "Stopped at node accept while writing accepted." in said()[-1]


def test_a_missing_input_stops_a_run_before_its_first_node(
    project: Project, said: Any
) -> None:
    with pytest.raises(RunError, match=r"kept .* is not there"):
        project.run(project.pipeline(keep).from_nodes("accept"))
    assert said() == []


def test_a_failure_elsewhere_is_told_without_a_node(
    project: Project, said: Any
) -> None:
    pipeline = project.pipeline(keep)
    project.hooks.before_pipeline_run(RUN, pipeline, project.catalog)
    project.hooks.on_pipeline_error(ValueError("no such runner"), RUN, pipeline)
    assert said()[-1].startswith("\nStopped.\n  Reason:    no such runner")


def test_without_a_project_nothing_is_marked(said: Any, tmp_path: Path) -> None:
    hooks = RunReportHooks()
    pipeline = Pipeline([Node(keep, "rows", "kept", name="keep")])
    hooks.before_pipeline_run(RUN, pipeline, DataCatalog({}))
    (node,) = pipeline.nodes
    hooks.before_node_run(node)
    hooks.after_node_run(node, {"kept": 1})
    hooks.before_dataset_saved("kept", node)
    hooks.after_dataset_saved("kept", node)
    hooks.on_pipeline_error(ValueError("x"), RUN, pipeline)
    hooks.after_pipeline_run(pipeline)
    assert "kedro run" in said()[-2]


def end_with(error: BaseException) -> None:
    sys.excepthook(type(error), error, None)


def test_an_error_that_says_enough_has_no_traceback(
    project: Project, said: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ContractError) as refused:
        project.run(project.pipeline(refuse))
    lines = len(said())
    end_with(refused.value)
    end_with(RunError("rows is not there"))
    assert said()[lines:] == ["\nNothing was run: rows is not there\n"]
    assert capsys.readouterr().err == ""


def test_a_bug_has_its_traceback(
    project: Project, said: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ZeroDivisionError) as broken:
        project.run(project.pipeline(break_down))
    end_with(broken.value)
    assert "ZeroDivisionError: a bug" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (Node(keep, "a", "b", name="draw_roc", namespace="boosting"), "boosting: dra"),
        (Node(keep, "a", "b", name="assign_splits", tags="features"), "features: assi"),
        (Node(keep, "a", "b", name="keep"), "keep"),
    ],
)
def test_a_node_is_named_readably(node: Node, expected: str) -> None:
    assert readable_name(node).startswith(expected)


@pytest.mark.end_to_end
def test_refusals_of_a_real_run_are_readable(own_project: Any) -> None:
    """Wrong parameters: by file and key; the exit code is that of a failure."""
    run = own_project.kedro("run", "--params", "boosting.n_trials=-2")
    assert run.returncode == 1
    assert run.stdout.splitlines() == [
        "",
        "Nothing was run: parameters are not as they must be.",
        "  conf/test/parameters_boosting.yml: boosting.n_trials: Input should be "
        "greater than or equal to 1 (it is -2)",
        "",
    ]
    assert run.stderr == ""


@pytest.mark.end_to_end
def test_a_refused_run_can_be_gone_on_with(own_project: Any) -> None:
    part = ("run", "--pipelines", "validation", "--from-nodes", "require_acceptance")
    refused = own_project.kedro(*part, "--params", "validation.minimum_rows=9000")
    assert refused.returncode == 1
    assert refused.stderr == ""
    assert "6000 of 6000 rows are accepted; at least 9000" in refused.stdout
    assert "Not made:  1 (validated_applications)" in refused.stdout

    stale = own_project.kedro("run", "--pipelines", "feature_engineering")
    assert stale.returncode == 1
    assert "validated_applications would be read as an earlier" in stale.stdout

    again = own_project.kedro(*part)
    assert again.returncode == 0, again.stdout
    summary = own_project.folder / "data/02_intermediate/validation_summary.json"
    assert json.loads(summary.read_text())["rows"] == 6000


@pytest.mark.end_to_end
def test_a_real_run_is_told_quietly_or_in_json(own_project: Any) -> None:
    environment = {
        "KEDRO_LOGGING_CONFIG": "conf/logging_json.yml",
        "KEDRO_LOGGING_MODULE_ALLOWLIST": "credit_scoring",
    }
    run = own_project.kedro("run", "--pipelines", "ingestion,validation", **environment)
    assert (run.returncode, run.stderr) == (0, "")
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert lines[0]["what"] == "ingestion: ingest applications"
    assert lines[0]["seconds"] > 0
    assert "rejected" in lines[-1]["message"]

    environment = {"KEDRO_LOGGING_CONFIG": "conf/logging_quiet.yml"}
    run = own_project.kedro("run", "--pipelines", "validation", **environment)
    assert (run.returncode, run.stderr) == (0, "")
    assert "validation:" not in run.stdout
    assert "rejected" in run.stdout
    wrong = ("--pipelines", "validation", "--params", "validation.minimum_rows=-1")
    run = own_project.kedro("run", *wrong, **environment)
    assert run.returncode == 1
    assert "minimum_rows" in run.stdout + run.stderr
