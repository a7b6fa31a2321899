"""The training pipeline: one candidate, under the namespace of its family."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.training.nodes import (
    calibrate,
    describe_uncertainty,
    explain_against_just_approved,
    fit_candidate,
)

FAMILIES = ("scorecard", "boosting")
_SHARED_PARAMETERS = (
    "params:contract",
    "params:decision",
    "params:feature_engineering",
    "params:training",
    "params:validation",
)


def create_pipeline() -> Pipeline:
    """Fit, calibrate and explain a candidate of each family."""
    return sum((train(family) for family in FAMILIES), Pipeline([]))


def train(family: str) -> Pipeline:
    """Fit, calibrate and explain the candidate of one family."""
    return Pipeline(
        [
            Node(
                fit_candidate,
                [
                    "model_input",
                    "ingestion_summary",
                    "params:candidate",
                    "params:contract",
                    "params:feature_engineering",
                    "params:validation",
                ],
                {
                    "fitted_model": "fitted_model",
                    "search_trials": "search_trials",
                    "chosen_parameters": "chosen_parameters",
                },
                name="fit_candidate",
            ),
            Node(
                calibrate,
                ["fitted_model", "model_input", "params:training"],
                "calibration",
                name="calibrate",
            ),
            Node(
                explain_against_just_approved,
                ["fitted_model", "calibration", "model_input", "params:decision"],
                {"model": "model", "background": "background"},
                name="explain_against_just_approved",
            ),
            Node(
                describe_uncertainty,
                ["model", "model_input", "params:training"],
                "uncertainty",
                name="describe_uncertainty",
            ),
        ],
        namespace=family,
        inputs={"model_input", "ingestion_summary"},
        parameters={
            "params:candidate": f"params:{family}",
            **{name: name for name in _SHARED_PARAMETERS},
        },
        tags=["training", family],
    )
