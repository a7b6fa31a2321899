"""The guard pipeline: decisions with their outcomes in, an override out."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.guard.nodes import guard_routing


def create_pipeline() -> Pipeline:
    """Watch, and override."""
    return Pipeline(
        [
            Node(
                guard_routing,
                [
                    "matured_outcomes",
                    "outcomes_report",
                    "routing_state",
                    "params:guard",
                ],
                "guard_report",
                name="guard_routing",
            )
        ],
        tags=["guard"],
    )
