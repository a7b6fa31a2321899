"""The history pipeline: all promotions, verified, and the champion of a day."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.history.nodes import answer_history


def create_pipeline() -> Pipeline:
    """Read the log of promotions."""
    return Pipeline(
        [
            Node(
                answer_history,
                "params:history",
                {"table": "promotion_history", "answer": "champion_of_the_day"},
                name="answer_history",
            )
        ],
        tags=["history"],
    )
