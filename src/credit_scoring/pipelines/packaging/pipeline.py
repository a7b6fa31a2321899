"""The packaging pipeline: from promoted versions to a Bento and its record."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.packaging.nodes import import_models, pack_release


def create_pipeline() -> Pipeline:
    """Import champion and challenger, then build the Bento."""
    return Pipeline(
        [
            Node(
                import_models,
                "promotion_record",
                {
                    "models": "service_models",
                    "versions": "released_versions",
                    "record": "service_record",
                },
                name="import_models",
            ),
            Node(
                pack_release,
                [
                    "service_models",
                    "released_versions",
                    "service_record",
                    "service_folder",
                ],
                "release",
                name="pack_release",
            ),
        ],
        tags=["packaging"],
    )
