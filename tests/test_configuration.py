from pathlib import Path
from typing import Any

import pytest

from credit_scoring.configuration import ProjectConfigLoader
from credit_scoring.settings import CONFIG_LOADER_ARGS

# Kedro calls a function that OmegaConf gave up.
pytestmark = pytest.mark.filterwarnings("ignore:register_new_resolver\\(\\) is")

BASE = """
boosting: {seed: 1, n_trials: 20, starting_point: {max_depth: 4, gamma: 0}}
contract: {name: taiwan, columns: {loan_id: {source: ID}, sex: {source: SEX}}}
evaluation: {splits: [train, test]}
promotion: {gates: {minimum_auc: 0.7, fairness: {level: 0.9, attributes: {sex: {}}}}}
"""
OTHER = """
boosting: {n_trials: 2, starting_point: {gamma: 1}}
contract: {name: home_loans, columns: {loan_id: {source: KEY}}}
evaluation: {splits: [test]}
promotion: {gates: {fairness: {attributes: {age: {}}}}}
"""


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    for env, text in (("base", BASE), ("other", OTHER)):
        (tmp_path / env).mkdir()
        (tmp_path / env / "parameters.yml").write_text(text)
    return tmp_path


def parameters(conf: Path, **given: Any) -> dict[str, Any]:
    arguments = {**CONFIG_LOADER_ARGS, "default_run_env": "base", **given}
    loader = ProjectConfigLoader(str(conf), **arguments)
    found: dict[str, Any] = loader["parameters"]
    return found


def test_an_environment_says_only_what_differs(conf: Path) -> None:
    found = parameters(conf, env="other")
    assert found["boosting"] == {
        "seed": 1,
        "n_trials": 2,
        "starting_point": {"max_depth": 4, "gamma": 1},
    }
    assert found["evaluation"] == {"splits": ["test"]}


def test_another_contract_has_no_column_of_the_first(conf: Path) -> None:
    contract = parameters(conf, env="other")["contract"]
    assert contract == {"name": "home_loans", "columns": {"loan_id": {"source": "KEY"}}}


def test_another_data_set_has_no_protected_attribute_of_the_first(conf: Path) -> None:
    gates = parameters(conf, env="other")["promotion"]["gates"]
    assert gates == {
        "minimum_auc": 0.7,
        "fairness": {"level": 0.9, "attributes": {"age": {}}},
    }
    (conf / "none").mkdir()
    (conf / "none" / "parameters.yml").write_text("promotion: {gates: {other: 1}}")
    assert parameters(conf, env="none")["promotion"]["gates"]["fairness"] == {
        "level": 0.9,
        "attributes": {"sex": {}},
    }


def test_a_parameter_of_the_command_leaves_the_others(conf: Path) -> None:
    (conf / "local").mkdir()
    given = {"boosting": {"n_trials": 7}}
    found = parameters(conf, env="local", runtime_params=given)["boosting"]
    assert (found["n_trials"], found["seed"]) == (7, 1)
