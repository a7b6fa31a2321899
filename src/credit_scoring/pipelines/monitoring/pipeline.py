"""The monitoring pipeline: decision log in, verdict and report out."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.monitoring.nodes import (
    index_decision_log,
    measure_outcomes,
    monitor_windows,
    summarise_monitoring,
)


def create_pipeline() -> Pipeline:
    """Index the log, judge the windows that are due, and publish."""
    return Pipeline(
        [
            Node(
                index_decision_log,
                ["decision_log", "earlier_log_index", "params:monitoring"],
                "log_index",
                name="index_decision_log",
            ),
            Node(
                monitor_windows,
                [
                    "decision_log",
                    "log_index",
                    "earlier_windows",
                    "training_reference",
                    "live_protected",
                    "params:monitoring",
                ],
                "monitored_windows",
                name="monitor_windows",
            ),
            Node(
                measure_outcomes,
                ["earlier_matured_outcomes", "params:monitoring"],
                "matured_performance",
                name="measure_outcomes",
            ),
            Node(
                summarise_monitoring,
                [
                    "monitored_windows",
                    "log_index",
                    "matured_performance",
                    "earlier_summary",
                ],
                "monitoring_summary",
                name="summarise_monitoring",
            ),
        ],
        tags=["monitoring"],
    )
