"""The validation pipeline: ingested_applications to validated_applications."""

from kedro.pipeline import Pipeline, node, pipeline

from credit_scoring.pipelines.validation.nodes import (
    require_acceptance,
    separate_rejected_rows,
)


def create_pipeline() -> Pipeline:
    """Create the pipeline.

    Two nodes, so that the rejected rows and the summary are saved before the
    second one may stop the run.
    """
    return pipeline(
        [
            node(
                separate_rejected_rows,
                inputs=[
                    "ingested_applications",
                    "ingestion_summary",
                    "params:contract",
                    "params:validation",
                ],
                outputs={
                    "accepted": "accepted_applications",
                    "rejected": "rejected_applications",
                    "rejected_text": "rejected_applications_csv",
                    "set_aside": "set_aside_applications",
                    "summary": "validation_summary",
                },
                name="separate_rejected_rows",
                tags="validation",
            ),
            node(
                require_acceptance,
                inputs=[
                    "accepted_applications",
                    "validation_summary",
                    "params:contract",
                    "params:validation",
                ],
                outputs="validated_applications",
                name="require_acceptance",
                tags="validation",
            ),
        ]
    )
