"""The replay pipeline: log in, report and differences out."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.replay.nodes import decide_again, require_reproduction


def create_pipeline() -> Pipeline:
    """Decide again, keep what was found, and stop if anything was."""
    return Pipeline(
        [
            Node(
                decide_again,
                ["decision_log", "params:replay"],
                {"report": "replay_report", "differences": "replay_differences"},
                name="decide_again",
            ),
            Node(
                require_reproduction,
                "replay_report",
                None,
                name="require_reproduction",
            ),
        ],
        tags=["replay"],
    )
