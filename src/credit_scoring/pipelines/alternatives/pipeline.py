"""The alternatives pipeline: search, draw, record."""

import warnings

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.alternatives.nodes import (
    draw_frontiers,
    log_alternatives,
    search_alternatives,
)


def create_pipeline() -> Pipeline:
    """Look for less discriminatory alternatives to the champion."""
    drawn = Node(
        draw_frontiers,
        ["alternatives_table", "alternatives_summary"],
        "plots_alternatives",
        name="draw_frontiers",
    )
    logged = Node(
        log_alternatives,
        ["alternatives_table", "alternatives_summary", "plots_alternatives"],
        None,
        name="log_alternatives",
    )
    return Pipeline([_searching_node(), drawn, logged], tags=["alternatives"])


def _searching_node() -> Node:
    with warnings.catch_warnings():
        # Kedro warns of a dot in a name, meant for names that people make up.
        # A node that reads from two namespaces has no other way.
        warnings.filterwarnings("ignore", message="One or more dataset names contain")
        return Node(
            search_alternatives,
            [
                "model_input",
                "validated_applications",
                "scorecard.predictions",
                "boosting.predictions",
                "boosting.chosen_parameters",
                "boosting.uncertainty",
                "promotion_record",
                "params:contract",
                "params:feature_engineering.feature_set",
                "params:boosting",
                "params:decision",
                "params:promotion",
                "params:alternatives",
            ],
            {"table": "alternatives_table", "summary": "alternatives_summary"},
            name="search_alternatives",
        )
