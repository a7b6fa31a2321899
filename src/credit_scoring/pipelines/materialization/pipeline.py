"""The materialization pipeline: from accepted rows to the feature store."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.materialization.nodes import (
    select_histories,
    summarise_materialization,
)


def create_pipeline() -> Pipeline:
    """Write the history of each accepted row to the store, and say what was done."""
    return Pipeline(
        [
            Node(
                select_histories,
                [
                    "validated_application_batches",
                    "params:contract",
                    "params:feature_engineering",
                    "params:materialization",
                ],
                "stored_histories",
                name="select_histories",
            ),
            Node(
                summarise_materialization,
                ["stored_histories", "params:contract"],
                "materialization_summary",
                name="summarise_materialization",
            ),
        ],
        tags=["materialization"],
    )
