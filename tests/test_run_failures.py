from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.io import DatasetError
from kedro.pipeline import Node
from kedro.validation.exceptions import ParameterValidationError

from credit_scoring import run_failures
from credit_scoring.boosting.parameters import BoostingParameters
from credit_scoring.errors import ContractError, PromotionError
from credit_scoring.pipelines.training.parameters import CandidateParameters
from credit_scoring.run_failures import (
    failure_text,
    misnaming_in,
    next_text,
    parameters_text,
    reason_of,
    refusal_in,
    says_enough,
)

NODE = Node(lambda rows, few: rows, ["rows", "params:few"], "made", name="make")


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def test_the_platforms_own_error_is_found_below_others() -> None:
    own = ContractError("row 3 is not a number")
    error = caused(DatasetError("Failed while loading, with 20 settings"), own)
    assert refusal_in(error) is own
    assert reason_of(error) == "row 3 is not a number"
    assert says_enough(error)


def test_a_datasets_error_is_told_by_its_cause() -> None:
    error = caused(DatasetError("Failed while loading ..."), OSError("no space left"))
    assert reason_of(error) == "OSError: no space left"
    assert says_enough(error)


def test_a_bug_keeps_its_traceback() -> None:
    assert not says_enough(ZeroDivisionError())
    assert reason_of(ZeroDivisionError()) == "ZeroDivisionError"


def test_a_reason_is_bounded() -> None:
    assert len(reason_of(PromotionError("x" * 10_000))) == 1500


def test_a_failure_says_where_and_why() -> None:
    text = failure_text(NODE, "while reading rows", ContractError("line 7 is cut"))
    assert text.splitlines() == [
        "",
        "Stopped at node make while reading rows.",
        "  It reads:  rows",
        "  It makes:  made",
        "  Reason:    line 7 is cut",
    ]


def test_the_next_step_is_a_command_and_what_waits_for_it() -> None:
    waiting = {f"dataset_{n}": "" for n in range(4)}
    text = next_text("kedro run --from-nodes=make", "kedro run", waiting)
    assert "             kedro run --from-nodes=make\n" in text
    assert "all of it again:\n             kedro run\n" in text
    assert "4 (dataset_0, dataset_1, dataset_2, ...)" in text


def test_one_command_is_said_once() -> None:
    text = next_text("kedro run", "kedro run", {})
    assert text.count("kedro run") == 1
    assert "Not made" not in text


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "conf" / "base").mkdir(parents=True)
    (tmp_path / "conf" / "test").mkdir()
    given = {"family": "boosting", "n_trials": -1, "search_space": {"hi": 3}}
    base = "boosting:\n  family: boosting\n"
    (tmp_path / "conf/base/parameters_boosting.yml").write_text(base)
    (tmp_path / "conf/test/parameters_more.yml").write_text("boosting: {}\n")
    (tmp_path / "conf/base/parameters_other.yml").write_text("other: 1\n")
    extractor = SimpleNamespace(
        extract_types_from_pipelines=lambda: {
            "boosting": CandidateParameters,
            "one.other": BoostingParameters,
        }
    )
    monkeypatch.setattr(run_failures, "TypeExtractor", lambda pipelines: extractor)
    monkeypatch.setattr(run_failures, "pipelines", {})

    class Loader(dict[str, Any]):
        conf_source = str(tmp_path / "conf")
        base_env = "base"
        default_run_env = "local"

    loader = Loader(parameters={"boosting": given, "one": {"other": 3}})
    return SimpleNamespace(config_loader=loader, env="test", project_path=tmp_path)


def test_wrong_parameters_are_named_by_file_and_key(context: Any) -> None:
    error = ParameterValidationError(
        "Parameter validation failed:\n- Parameter 'boosting': Failed to ..."
    )
    lines = parameters_text(error, context).splitlines()
    assert lines[1] == "Nothing was run: parameters are not as they must be."
    file = "  conf/test/parameters_more.yml: boosting."
    assert all(line.startswith(file) for line in lines[2:-1])
    assert f"{file}n_trials: Input should be greater than or equal to 1 (it is -1)" in (
        lines
    )
    assert f"{file}search_space.max_depth: Field required" in lines
    assert lines[-1].startswith("  and ")


def test_a_nested_parameter_is_found_and_an_unknown_text_is_shown(
    context: Any,
) -> None:
    error = ParameterValidationError("- Parameter 'one.other': Failed to ...")
    assert "parameters: one.other: Input should be" in parameters_text(error, context)
    error = ParameterValidationError("something new")
    assert "  something new\n" in parameters_text(error, context)


def test_a_pipeline_that_does_not_exist_is_named() -> None:
    error = ImportError(
        "An error occurred while importing the 'credit_scoring.pipelines.nope' module."
    )
    said = misnaming_in(error)
    assert said is not None
    assert said.startswith("there is no pipeline named nope; the default run has inges")
    broken = "An error occurred while importing the 'credit_scoring.pipelines.training'"
    assert misnaming_in(ImportError(f"{broken} module.")) is None


def test_a_node_that_does_not_exist_is_named() -> None:
    text = "Pipeline does not contain nodes named ['nope']."
    assert misnaming_in(ValueError(text)) == text
    assert misnaming_in(ValueError("anything else")) is None
