"""The promotion pipeline: from fitted candidates to champion and challenger."""

import warnings
from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.promotion.judging_nodes import (
    draw_bands,
    draw_fairness,
    draw_profit,
    judge_candidate,
)
from credit_scoring.pipelines.promotion.nodes import (
    assign_aliases,
    build_artifact,
    confirm_champion,
    draw_record,
    register_candidate,
    select_applications,
    tabulate_history,
)

NAMESPACES = ("scorecard", "boosting")
# What evaluation and training draw and tabulate of a candidate, for its run.
_REPORTS = (
    "plots_bins",
    "plots_importance",
    "plots_ks",
    "plots_reliability",
    "plots_roc",
    "plots_score_distribution",
    "feature_importance",
    "reliability_table",
    "search_trials",
    "vintage_table",
)
_MORE_REPORTS = {"scorecard": ("points_table",), "boosting": ()}
# What a candidate was judged on, for a report of it.
_EVIDENCE = (
    "band_table",
    "cut_off_table",
    "profit_curve",
    "fairness_table",
    "monotonicity_table",
    "stability_table",
    "calibration_tests",
    "swap_sets",
)
_SHARED = {
    "training_applications",
    "test_applications",
    "test_protected",
    "validation_summary",
}
_PARAMETERS = {
    "params:contract",
    "params:feature_engineering",
    "params:decision",
    "params:promotion",
}


def create_pipeline() -> Pipeline:
    """Register and judge both candidates, then decide between them."""
    before = Pipeline(
        [
            Node(
                select_applications,
                ["validated_applications", "splits", "params:contract"],
                {
                    "training": "training_applications",
                    "test": "test_applications",
                    "protected": "test_protected",
                },
                name="select_applications",
            )
        ]
    )
    after = Pipeline(
        [
            _assigning_node(),
            Node(draw_record, "promotion_record", "promotion_page", name="draw_record"),
            Node(
                tabulate_history,
                "promotion_record",
                "promotion_history",
                name="tabulate_history",
            ),
            Node(confirm_champion, "promotion_record", None, name="confirm_champion"),
        ]
    )
    candidates = [
        Pipeline(
            [
                _one_candidate((*_REPORTS, *_MORE_REPORTS[namespace])),
                *_judging_nodes(),
            ],
            namespace=namespace,
            inputs=_SHARED,
            parameters=_PARAMETERS,
            tags=[namespace],
        )
        for namespace in NAMESPACES
    ]
    return Pipeline([before, *candidates, after], tags=["promotion"])


def _assigning_node() -> Node:
    judgements = [f"{namespace}.judgement" for namespace in NAMESPACES]
    with warnings.catch_warnings():
        # Kedro warns of a dot in a name, meant for names that people make up.
        # A node that reads from two namespaces has no other way.
        warnings.filterwarnings("ignore", message="One or more dataset names contain")
        return Node(
            assign_aliases,
            ["params:promotion", *judgements],
            "promotion_record",
            name="assign_aliases",
        )


def _one_candidate(reports: Sequence[str]) -> Pipeline:
    return Pipeline(
        [
            Node(
                build_artifact,
                [
                    "model",
                    "calibration",
                    "metrics",
                    "background",
                    "training_applications",
                    "validation_summary",
                    "params:contract",
                    "params:feature_engineering",
                    "params:decision",
                    "uncertainty",
                ],
                "artifact",
                name="build_artifact",
            ),
            Node(
                register_candidate,
                {
                    "artifact": "artifact",
                    "metrics": "metrics",
                    "chosen_parameters": "chosen_parameters",
                    "promotion": "params:promotion",
                    **{name: name for name in reports},
                },
                "registration",
                name="register_candidate",
            ),
        ]
    )


def _judging_nodes() -> list[Node]:
    return [
        Node(
            judge_candidate,
            [
                "artifact",
                "registration",
                "test_applications",
                "test_protected",
                "params:contract",
                "params:promotion",
            ],
            {name: name for name in ("judgement", *_EVIDENCE)},
            name="judge_candidate",
        ),
        Node(
            draw_profit,
            ["profit_curve", "cut_off_table"],
            "policy_plot_profit",
            name="draw_profit",
        ),
        Node(
            draw_bands, "band_table", "policy_plot_bands", name="draw_bands_of_policy"
        ),
        Node(
            draw_fairness,
            ["fairness_table", "params:promotion"],
            "policy_plot_fairness",
            name="draw_fairness",
        ),
    ]
