"""The challenge pipeline: matured outcomes in, a verdict out."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.challenge.nodes import challenge_champion, log_challenge
from credit_scoring.pipelines.promotion.nodes import draw_record, tabulate_history


def create_pipeline() -> Pipeline:
    """Compare, judge, show; `packaging` packs the record that stands afterwards."""
    return Pipeline(
        [
            Node(
                challenge_champion,
                [
                    "matured_outcomes",
                    "outcomes_report",
                    "past_challenge_looks",
                    "params:challenge",
                    "params:promotion",
                ],
                {
                    "report": "challenge_report",
                    "page": "challenge_page",
                    "looks": "challenge_looks",
                    "record": "promotion_record",
                },
                name="challenge_champion",
            ),
            Node(
                log_challenge,
                ["challenge_report", "challenge_page"],
                None,
                name="log_challenge",
            ),
            Node(draw_record, "promotion_record", "promotion_page", name="draw_record"),
            Node(
                tabulate_history,
                "promotion_record",
                "promotion_history",
                name="tabulate_history",
            ),
        ],
        tags=["challenge"],
    )
