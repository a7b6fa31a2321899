"""The rollback pipeline: an earlier champion again, packed for the service."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.packaging import create_pipeline as packaging
from credit_scoring.pipelines.promotion.nodes import draw_record, tabulate_history
from credit_scoring.pipelines.rollback.nodes import restore_champion


def create_pipeline() -> Pipeline:
    """Restore, show, and build the Bento anew."""
    restoring = Pipeline(
        [
            Node(
                restore_champion,
                "params:rollback",
                "promotion_record",
                name="restore_champion",
            ),
            Node(draw_record, "promotion_record", "promotion_page", name="draw_record"),
            Node(
                tabulate_history,
                "promotion_record",
                "promotion_history",
                name="tabulate_history",
            ),
        ],
        tags=["rollback"],
    )
    return restoring + packaging()
