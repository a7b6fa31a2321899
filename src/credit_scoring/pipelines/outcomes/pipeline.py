"""The outcomes pipeline: logs and files in, decisions with their outcomes out."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.outcomes.nodes import gather_outcomes, match_outcomes


def create_pipeline() -> Pipeline:
    """Gather what was reported, and match it with the decisions."""
    return Pipeline(
        [
            Node(
                gather_outcomes,
                ["outcome_log", "outcome_files"],
                {"outcomes": "reported_outcomes", "rejected": "rejected_outcomes"},
                name="gather_outcomes",
            ),
            Node(
                match_outcomes,
                [
                    "decision_log",
                    "reported_outcomes",
                    "rejected_outcomes",
                    "params:outcomes",
                ],
                {
                    "matured": "matured_outcomes",
                    "unmatched": "unmatched_outcomes",
                    "report": "outcomes_report",
                },
                name="match_outcomes",
            ),
        ],
        tags=["outcomes"],
    )
