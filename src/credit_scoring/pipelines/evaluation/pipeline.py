"""The evaluation pipeline: each candidate, then the two beside each other."""

import warnings

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.evaluation.nodes import (
    compare_candidates,
    measure_candidate,
    predict,
    rank_features,
    tabulate_comparison,
    tabulate_points,
    tabulate_reliability,
)
from credit_scoring.pipelines.evaluation.plot_nodes import (
    draw_bins,
    draw_importance,
    draw_ks,
    draw_reliability,
    draw_roc,
    draw_score_distribution,
)
from credit_scoring.pipelines.evaluation.vintages import tabulate_vintages

FAMILIES = ("scorecard", "boosting")

_DECISION = "params:decision"
_EVALUATION = "params:evaluation"
_CANDIDATE = "params:candidate"
_CONTRACT = "params:contract"
_APPLICATIONS = "validated_applications"


def create_pipeline() -> Pipeline:
    """Evaluate the candidate of each family and compare them."""
    evaluated = sum((evaluate(family) for family in FAMILIES), Pipeline([]))
    return evaluated + _points_of_scorecard() + _compare()


def evaluate(family: str) -> Pipeline:
    """Predict with, measure, tabulate and draw the candidate of one family."""
    return _namespaced([*_measuring_nodes(), *_drawing_nodes()], family)


def _measuring_nodes() -> list[Node]:
    scored = ["model", "calibration", "model_input", _DECISION]
    return [
        Node(predict, scored, "predictions", name="predict"),
        Node(
            measure_candidate,
            ["predictions", _EVALUATION],
            "metrics",
            name="measure_candidate",
        ),
        Node(
            tabulate_reliability,
            ["predictions", _EVALUATION],
            "reliability_table",
            name="tabulate_reliability",
        ),
        Node(
            tabulate_vintages,
            ["predictions", _APPLICATIONS, _CONTRACT, _EVALUATION],
            "vintage_table",
            name="tabulate_vintages",
        ),
        Node(
            rank_features,
            [*scored, _EVALUATION],
            "feature_importance",
            name="rank_features",
        ),
    ]


def _drawing_nodes() -> list[Node]:
    said = [_EVALUATION, _CANDIDATE]
    measured = ["predictions", "metrics", *said]
    return [
        Node(draw_roc, measured, "plots_roc", name="draw_roc"),
        Node(draw_ks, measured, "plots_ks", name="draw_ks"),
        Node(
            draw_reliability,
            ["predictions", "reliability_table", "metrics", *said],
            "plots_reliability",
            name="draw_reliability",
        ),
        Node(
            draw_score_distribution,
            ["predictions", _DECISION, *said],
            "plots_score_distribution",
            name="draw_score_distribution",
        ),
        Node(
            draw_importance,
            ["feature_importance", *said],
            "plots_importance",
            name="draw_importance",
        ),
        Node(
            draw_bins,
            ["model", "model_input", "predictions", "feature_importance", *said],
            "plots_bins",
            name="draw_bins",
        ),
    ]


def _points_of_scorecard() -> Pipeline:
    points = Node(
        tabulate_points,
        ["model", "calibration", _DECISION],
        "points_table",
        name="tabulate_points",
    )
    return _namespaced([points], "scorecard")


def _compare() -> Pipeline:
    metrics = {family: f"{family}.metrics" for family in FAMILIES}
    with warnings.catch_warnings():
        # Kedro warns of a dot in a name, meant for names that people make up.
        # A node that reads from two namespaces has no other way.
        warnings.filterwarnings("ignore", message="One or more dataset names contain")
        compare = Node(
            compare_candidates,
            {"evaluation": _EVALUATION, **metrics},
            "comparison",
            name="compare_candidates",
        )
    tabulate = Node(
        tabulate_comparison,
        "comparison",
        "comparison_table",
        name="tabulate_comparison",
    )
    return Pipeline([compare, tabulate], tags=["evaluation"])


def _namespaced(nodes: list[Node], family: str) -> Pipeline:
    read = {name for node in nodes for name in node.inputs}
    return Pipeline(
        nodes,
        namespace=family,
        inputs=read & {"model_input", _APPLICATIONS},
        parameters={
            **{name: name for name in read & {_DECISION, _EVALUATION, _CONTRACT}},
            **dict.fromkeys(read & {_CANDIDATE}, f"params:{family}"),
        },
        tags=["evaluation", family],
    )
