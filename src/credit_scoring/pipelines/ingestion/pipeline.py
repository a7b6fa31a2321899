"""The ingestion pipeline: raw_applications to ingested_applications."""

from kedro.pipeline import Pipeline, node, pipeline

from credit_scoring.pipelines.ingestion.nodes import ingest_applications


def create_pipeline() -> Pipeline:
    """Create the pipeline."""
    return pipeline(
        [
            node(
                ingest_applications,
                inputs=["raw_applications", "params:contract", "params:ingestion"],
                outputs={
                    "applications": "ingested_applications",
                    "summary": "ingestion_summary",
                },
                name="ingest_applications",
                tags="ingestion",
            )
        ]
    )
