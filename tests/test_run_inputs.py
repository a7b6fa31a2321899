from pathlib import Path
from typing import Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro_datasets.json import JSONDataset

from credit_scoring.configuration import ProjectConfigLoader, file_named_by
from credit_scoring.errors import RunError
from credit_scoring.run_inputs import require_inputs, require_known_parameters
from credit_scoring.run_marks import UnfinishedMarks

PIPELINE = Pipeline(
    [Node(lambda rows, few: rows, ["rows", "params:few"], "made", name="make")]
)


@pytest.fixture
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UnfinishedMarks:
    monkeypatch.chdir(tmp_path)
    return UnfinishedMarks(tmp_path)


def catalog(layer: str = "02_intermediate") -> DataCatalog:
    path = Path.cwd() / "data" / "rows.json"
    metadata: dict[str, Any] = {"kedro-viz": {"layer": layer}}
    rows = JSONDataset(filepath=str(path), metadata=metadata)
    return DataCatalog({"rows": rows, "params:few": MemoryDataset(1)})


def check(datasets: DataCatalog, marks: UnfinishedMarks) -> None:
    run = {"env": "test", "pipeline_names": ["training"]}
    require_inputs(PIPELINE, datasets, marks, run=run)


def test_a_run_whose_inputs_are_there_may_start(marks: UnfinishedMarks) -> None:
    datasets = catalog()
    datasets.save("rows", [1])
    marks.put(["made"], "kedro run")
    check(datasets, marks)


def test_a_missing_dataset_is_named_with_the_command_that_makes_it(
    marks: UnfinishedMarks,
) -> None:
    with pytest.raises(
        RunError,
        match=r"(?s)rows \(data/rows\.json\) is not there\. To make it:\n.*kedro.* run "
        r"--env=test --to-outputs=rows\nthen:\n.* --env=test --pipelines=training",
    ):
        check(catalog(), marks)


def test_what_another_pipeline_makes_is_had_from_that(marks: UnfinishedMarks) -> None:
    pipeline = Pipeline([Node(len, "matured_outcomes", "count", name="count")])
    path = str(Path.cwd() / "data" / "rows.json")
    datasets = DataCatalog({"matured_outcomes": JSONDataset(filepath=path)})
    run = {"pipeline_names": ["challenge"]}
    with pytest.raises(
        RunError,
        match=r"(?s)To make it:\n.* run --pipelines=outcomes\n"
        r"then:\n.* run --pipelines=challenge",
    ):
        require_inputs(pipeline, datasets, marks, run=run)


# Kedro calls a function that OmegaConf gave up.
@pytest.mark.filterwarnings("ignore:register_new_resolver\\(\\) is")
def test_a_parameter_that_nothing_reads_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "parameters.yml").write_text("training: {seed: 1}")

    def require(given: dict[str, object] | None) -> None:
        loader = ProjectConfigLoader(
            str(tmp_path), base_env="base", default_run_env="base", runtime_params=given
        )
        require_known_parameters(loader, given)

    require(None)
    require({"training": {"seed": 2}})
    with pytest.raises(RunError, match=r"a parameter traning,.* mean training\?"):
        require({"traning": {"seed": 2}})
    with pytest.raises(RunError, match=r"a parameter zz, so nothing would read it$"):
        require({"zz": 1})


def test_several_missing_datasets_are_named_together(marks: UnfinishedMarks) -> None:
    path = str(Path.cwd() / "data" / "rows.json")
    names = ["matured_outcomes", "outcomes_report"]
    pipeline = Pipeline([Node(max, names, "most", name="most")])
    datasets = DataCatalog({name: JSONDataset(filepath=path) for name in names})
    with pytest.raises(
        RunError,
        match=r"matured_outcomes \(.*\), outcomes_report \(.*\) are not there\.",
    ):
        require_inputs(pipeline, datasets, marks, run={"pipeline_names": ["guard"]})


def test_what_the_service_writes_is_had_from_there(marks: UnfinishedMarks) -> None:
    path = str(Path.cwd() / "data" / "rows.json")
    metadata = {"kedro-viz": {"layer": "01_raw"}, "written_by": "Ask the service"}
    rows = JSONDataset(filepath=path, metadata=metadata)
    datasets = DataCatalog({"rows": rows, "params:few": MemoryDataset(1)})
    with pytest.raises(
        RunError, match=r"(?s)is not there\. Ask the service, then:\n.* run "
    ):
        check(datasets, marks)


def test_missing_raw_data_is_for_a_person_to_bring(marks: UnfinishedMarks) -> None:
    with pytest.raises(RunError, match="No pipeline makes it: put the file there"):
        check(catalog("01_raw"), marks)


def test_a_file_that_the_environment_should_name_is_asked_for(
    marks: UnfinishedMarks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("THE_FILE", raising=False)
    path = Path.cwd() / file_named_by("THE_FILE")
    metadata: dict[str, Any] = {"kedro-viz": {"layer": "01_raw"}}
    rows = JSONDataset(filepath=str(path), metadata=metadata)
    datasets = DataCatalog({"rows": rows, "params:few": MemoryDataset(1)})
    with pytest.raises(RunError, match="variable THE_FILE is not set"):
        check(datasets, marks)
    monkeypatch.setenv("THE_FILE", "rows.csv")
    assert file_named_by("THE_FILE") == "rows.csv"


def test_what_a_stopped_run_left_of_an_earlier_one_is_not_read(
    marks: UnfinishedMarks,
) -> None:
    datasets = catalog()
    datasets.save("rows", [1])
    marks.put(["rows"], "kedro run --from-nodes=read")
    with pytest.raises(
        RunError,
        match=r"(?s)rows would be read as an earlier run left it.*--from-nodes=read",
    ):
        check(datasets, marks)


def test_a_dataset_that_is_in_no_catalog_is_left_to_kedro(
    marks: UnfinishedMarks,
) -> None:
    check(DataCatalog({}), marks)
