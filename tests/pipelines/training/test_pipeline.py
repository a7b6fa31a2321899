import pytest
from pydantic import ValidationError

from credit_scoring.pipelines.training import create_pipeline
from credit_scoring.pipelines.training.parameters import CandidateParameters


def test_both_families_go_through_the_same_nodes():
    nodes = create_pipeline().nodes
    by_family = {
        family: {node.short_name for node in nodes if node.namespace == family}
        for family in ("scorecard", "boosting")
    }
    assert by_family["scorecard"] == by_family["boosting"]
    assert len(nodes) == 8


def test_the_pipeline_reads_shared_data_and_parameters_of_its_own():
    assert create_pipeline().inputs() == {
        "ingestion_summary",
        "model_input",
        "params:boosting",
        "params:decision",
        "params:contract",
        "params:feature_engineering",
        "params:scorecard",
        "params:training",
        "params:validation",
    }


def test_each_family_writes_under_its_namespace():
    names = (
        "background",
        "chosen_parameters",
        "search_trials",
        "uncertainty",
    )
    expected = {f"{f}.{name}" for f in ("scorecard", "boosting") for name in names}
    assert create_pipeline().outputs() == expected


def test_a_family_that_is_none_is_refused():
    with pytest.raises(ValidationError, match="family"):
        CandidateParameters.model_validate({"family": "forest"})
