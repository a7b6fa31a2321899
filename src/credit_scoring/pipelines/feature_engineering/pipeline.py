"""The feature engineering pipeline: from accepted rows to the models' input."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.feature_engineering.leakage import (
    join_plausible_features,
    measure_single_features,
)
from credit_scoring.pipelines.feature_engineering.nodes import (
    assign_splits,
    compute_features,
    summarise_features,
)


def create_pipeline() -> Pipeline:
    """Compute features and splits, and join them."""
    parameters = ["params:contract", "params:feature_engineering"]
    return Pipeline(
        [
            Node(
                compute_features,
                ["validated_applications", *parameters],
                "features",
                name="compute_features",
            ),
            Node(
                assign_splits,
                ["validated_applications", *parameters],
                "splits",
                name="assign_splits",
            ),
            Node(
                measure_single_features,
                ["features", "splits", "params:feature_engineering"],
                "single_feature_power",
                name="measure_single_features",
            ),
            Node(
                join_plausible_features,
                [
                    "features",
                    "splits",
                    "single_feature_power",
                    "params:feature_engineering",
                ],
                "model_input",
                name="join_model_input",
            ),
            Node(
                summarise_features,
                ["features", *parameters],
                "feature_summary",
                name="summarise_features",
            ),
        ],
        tags=["feature_engineering"],
    )
