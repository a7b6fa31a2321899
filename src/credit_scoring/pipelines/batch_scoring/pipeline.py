"""The batch scoring pipeline: files and a release in, decisions out."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.batch_scoring.nodes import score_files


def create_pipeline() -> Pipeline:
    """Score files; they are read, and decisions written, a chunk at a time."""
    return Pipeline(
        [
            Node(
                score_files,
                [
                    "service_models",
                    "batch_decision_log",
                    "params:input",
                    "params:output",
                    "params:batch_scoring",
                ],
                "batch_summary",
                name="score_files",
            ),
        ],
        tags=["batch_scoring"],
    )
